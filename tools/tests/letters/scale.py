"""A redrive of very many letters, in a process of its own so that its memory can be measured.

Its argument is the number of letters; every fifth is not to be sent. It writes what it found as JSON.
"""

import io
import json
import re
import resource
import sys
import threading
from typing import Any

from pipeline.letters import redrive
from pipeline.letters.plan import Plan
from pipeline.letters.queue import DeadLetterQueue
from pipeline.letters.selection import Selection
from pipeline.stack import Stack, Stage
from pipeline.stack.invoke import Invoker
from pipeline.stack.rate_limit import RateLimiter
from tools.tests.stack.samples import Time

RATE = 200.0
BODY = json.dumps({"id": "r-{}", "timestamp": 1, "data": "x" * 4000})
AVAILABLE, HELD, DELETED = 0, 1, 2


class Sqs:
    """A queue that makes its letters as they are received, and remembers one byte of each."""

    def __init__(self, count: int) -> None:
        self.states = bytearray(count)
        self.next = 0

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        visible, held = self.states.count(AVAILABLE), self.states.count(HELD)
        counts = {"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": held}
        return {"Attributes": counts, "ResponseMetadata": {}}

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        numbers = range(self.next, min(self.next + MaxNumberOfMessages, len(self.states)))
        self.next = numbers.stop
        for number in numbers:
            self.states[number] = HELD
        return {"Messages": [self._message(number) for number in numbers]}

    def _message(self, number: int) -> dict[str, Any]:
        error = "wait" if number % 5 == 0 else "send"
        attributes = {"RequestID": f"id-{number}", "ErrorMessage": error}
        return {
            "MessageId": f"message-{number:040}",
            "ReceiptHandle": f"{number:0400}",
            "Body": BODY.replace("{}", str(number)),
            "Attributes": {"SenderId": "AROAvalidator:s"},
            "MessageAttributes": {name: {"StringValue": value} for name, value in attributes.items()},
        }

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return self._set(request, DELETED)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        return self._set(request, AVAILABLE)

    def _set(self, request: dict[str, Any], state: int) -> dict[str, Any]:
        for entry in request["Entries"]:
            self.states[int(entry["ReceiptHandle"])] = state
        return {"Successful": request["Entries"]}


class Lambda:
    """Accepts everything."""

    def __init__(self) -> None:
        self.accepted = 0

    def invoke(self, **_: Any) -> dict[str, Any]:
        self.accepted += 1
        request_id = f"00000000-0000-0000-0000-{self.accepted:012}"
        return {"StatusCode": 202, "Payload": io.BytesIO(), "ResponseMetadata": {"RequestId": request_id}}


def main(count: int) -> None:
    sqs, functions, time = Sqs(count), Lambda(), Time()
    arns = {stage: f"arn:aws:lambda:r:a:function:{stage}:live" for stage in ("validator", "enricher", "processor")}
    stages = {name: Stage(name, arn, f"AROA{name}") for name, arn in arns.items()}
    stack = Stack("s", "s", "t", "q", "arn:aws:sqs:r:a:q", stages, tuple(stages))
    queue = DeadLetterQueue(sqs, "q")
    invoker = Invoker(functions, RateLimiter(RATE, clock=time, wait=time.wait), threading.Event())
    plan = Plan(stack, Selection(pattern=re.compile("send")), parallel=1)
    redrive.MOMENT = 0
    counts = redrive.Redrive(plan, queue, invoker).run(queue.depth())
    found = {
        "sent": sum(counts.targets.values()),
        "accepted": functions.accepted,
        "deleted": sqs.states.count(DELETED),
        "available": sqs.states.count(AVAILABLE),
        "seconds": time.now,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))  # noqa: T201 - for the test


main(int(sys.argv[1]))
