"""What the reader lives in, all in memory: the bucket, the queue of files, Lambda's queue, the table and the time."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

import reader
from core import dead_letters
from core.aws import AFTER_THROTTLING, ServiceError
from core.files import looking, parts, reading, sending, uploaded
from core.store import is_same
from record import InvalidRecord, parse

from .fake_s3 import FakeS3, refused

ENTRY, FILES_QUEUE, LETTERS, TABLE = "arn:validator:live", "https://files", "https://letters", "records"
MINUTE = 60


class Killed(BaseException):
    """The function is ended in the middle of its work."""


class Message(NamedTuple):
    due: float
    body: str
    received: int = 0
    """How often it was received."""

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Invocation:
    """What Lambda tells the reader. Each look at the time costs it some."""

    aws_request_id = "request"

    def __init__(self, world: "World", looks: int) -> None:
        self._world, self._looks = world, looks

    def get_remaining_time_in_millis(self) -> int:
        self._looks -= 1
        return 800_000 if self._looks > 0 else 59_000


class World:
    """All of it. `before` and `after` are called with the name of each call to AWS, which they may fail."""

    def __init__(self, patch: pytest.MonkeyPatch, *, part: int = 5 * 1024 * 1024) -> None:
        self.seconds = 1_800_000_000.0
        self.s3 = FakeS3(part=part)
        self.messages: list[Message] = []
        self.events: list[Any] = []
        self.waiting: list[Any] = []
        """The events of the validator's queue that were not yet delivered."""
        self.items: dict[tuple[str, str], Any] = {}
        self.letters: list[dict[str, Any]] = []
        self.refusals: list[str] = []
        self.in_flight = 1
        self.slept = 0.0
        self.hidden: list[int] = []
        self.looks: list[int] = []
        self.left_out: Callable[[int], int] = lambda count: 0
        """How many of so many keys DynamoDB leaves out of an answer."""
        self.before: Callable[[str], None] = lambda name: None
        self.after: Callable[[str], None] = lambda name: None
        self.s3.around = self.around
        for module in (uploaded, parts):
            patch.setattr(module, "s3", lambda: self.s3)
        for module, name in ((sending, "queue"), (dead_letters, "client"), (looking, "client")):
            patch.setattr(module, name, lambda: self)
        patch.setattr(sending, "functions", lambda: self)
        patch.setattr(reading, "now", lambda: int(self.seconds * 1000))
        patch.setattr("time.monotonic", lambda: self.seconds)
        patch.setattr("time.sleep", self.sleep)
        for variable, value in {
            "ENTRY_FUNCTION_ARN": ENTRY,
            "FILES_QUEUE_URL": FILES_QUEUE,
            "DEAD_LETTER_QUEUE_URL": LETTERS,
            "TABLE_NAME": TABLE,
            "RECORDS_A_SECOND": "1000000",
            "READERS": "2",
        }.items():
            patch.setenv(variable, value)

    # What the reader calls

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept += seconds

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert (FunctionName, InvocationType) == (ENTRY, "Event")
        assert len(Payload) <= 1_048_576
        with self.around("invoke"):
            self.events.append(json.loads(Payload))
            self.waiting.append(json.loads(Payload))
        return {"Payload": io.BytesIO()}

    def call(self, operation: str, request: dict[str, Any]) -> Any:
        with self.around(operation):
            return getattr(self, operation)(request)

    @contextmanager
    def around(self, operation: str) -> Iterator[None]:
        """Let a test fail a call before or after it is done."""
        self.before(operation)
        yield
        self.after(operation)

    def SendMessage(self, request: dict[str, Any]) -> None:  # noqa: N802 - AWS's names
        assert request["QueueUrl"] == FILES_QUEUE
        assert isinstance(request["DelaySeconds"], int)
        assert 0 <= request["DelaySeconds"] <= 900
        self.messages.append(Message(self.seconds + request["DelaySeconds"], request["MessageBody"]))

    def SendMessageBatch(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert request["QueueUrl"] == LETTERS
        self.letters += request["Entries"]
        return {}

    def ChangeMessageVisibility(self, request: dict[str, Any]) -> None:  # noqa: N802
        assert request["QueueUrl"] == FILES_QUEUE
        self.hidden.append(request["VisibilityTimeout"])

    def GetQueueAttributes(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert request["QueueUrl"] == FILES_QUEUE
        return {"Attributes": {"ApproximateNumberOfMessagesNotVisible": str(self.in_flight)}}

    def BatchGetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((table, wanted),) = request["RequestItems"].items()
        keys = [(key["id"]["S"], key["timestamp"]["N"]) for key in wanted["Keys"]]
        assert table == TABLE
        assert 1 <= len(keys) == len(set(keys)) <= 100
        assert "ConsistentRead" not in wanted
        self.looks.append(len(keys))
        taken = len(keys) - self.left_out(len(keys))
        left = {TABLE: {"Keys": wanted["Keys"][taken:]}} if taken < len(keys) else {}
        found = [self.items[key] for key in keys[:taken] if key in self.items]
        return {"Responses": {TABLE: found}, "UnprocessedKeys": left}

    # What happens beside it

    def put(self, key: str, content: bytes) -> dict[str, Any]:
        """Put a file into the bucket, which is announced."""
        event = self.s3.put(key, content)
        self.messages.append(Message(self.seconds, json.dumps(event)))
        return event

    def deliver(self, message: Message, *, looks: int = 10**9) -> bool:
        """Let the reader work on a message; return whether the queue may delete it."""
        self.seconds = max(self.seconds, message.due)
        record = {
            "messageId": "id",
            "receiptHandle": "receipt",
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.received + 1)},
        }
        answer = reader.handler({"Records": [record]}, Invocation(self, looks))
        return bool(answer == {"batchItemFailures": []})

    def steps(self, count: int) -> None:
        """Let the reader take so many steps on the one message that there is, and store what it sent."""
        for _ in range(count):
            self.deliver(self.messages.pop())
            self.store_all()

    def store(self, event: Any) -> None:
        """Let the stages store the records of an event, or refuse them."""
        for document in event:
            try:
                own = parse(document).own
            except InvalidRecord as refusal:
                self.refusals.append(str(refusal))
                continue
            item = self.items.setdefault((own["id"]["S"], own["timestamp"]["N"]), own)
            if not is_same(item, own):
                self.refusals.append("another record with the same id and timestamp is stored")

    def store_all(self) -> None:
        while self.waiting:
            self.store(self.waiting.pop(0))

    def work_off(self, *, looks: int = 10**9) -> Counter[int]:
        """Deliver all messages, each when it is due, and store what was sent; return how many steps each round took."""
        steps = Counter[int]()
        while self.messages:
            self.messages.sort()
            message = self.messages.pop(0)
            steps[message.event.get("continued", {}).get("round", 0)] += 1
            assert self.deliver(message, looks=looks)
            self.store_all()
            assert sum(steps.values()) < 2000
        return steps

    def settle(self, key: str, content: bytes, *, looks: int = 10**9) -> Counter[int]:
        self.put(key, content)
        return self.work_off(looks=looks)

    def rejected(self, key: str) -> list[Any]:
        return self.s3.documents(f"rejected/{key}.jsonl")

    def receipt(self, key: str) -> Any:
        return self.s3.json(f"receipts/{key}.json")

    def reasons(self) -> list[str]:
        return [entry["MessageAttributes"]["ErrorMessage"]["StringValue"] for entry in self.letters]


def throttled() -> ServiceError:
    return ServiceError("ThrottlingException", "slow down", backoff=AFTER_THROTTLING)


__all__ = ["Killed", "Message", "World", "refused", "throttled"]
