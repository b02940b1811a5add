"""Event source mappings of queues: refused where Lambda refuses them, with the alias and the messages' senders told.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

import math
import time
from threading import Timer
from typing import Any

from pipeline.local.asynchronous import Queue
from pipeline.local.embedded.ministack import ministack

from .inside import provide
from .rules import refusal_of_mapping

BUSY = 0.1  # seconds between two looks whether the pipeline is still busy
POLL = 1.0  # seconds between two looks of MiniStack's own at the queues
LONG_MINUTE = 60  # real seconds; a minute that lasts so long is none that time was made shorter for


def map_queues() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    lambda_svc = ministack("services.lambda_svc")
    create, run = lambda_svc._create_esm, lambda_svc._run_sqs_batch

    def complete(made: str, _: dict[str, Any]) -> None:
        mapping = lambda_svc._esms[made]
        mapping["Enabled"] = str(mapping["Enabled"]).lower() == "true"  # of a parameter it is text
        mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"

    def checked(wanted: dict[str, Any]) -> Any:
        if sentence := refusal_of_mapping(wanted):
            return lambda_svc.error_response_json("InvalidParameterValueException", sentence, 400)
        return create(wanted)

    def run_whole(mapping: Any, function: Any, event: Any, messages: Any, *rest: Any) -> None:
        for record, message in zip(event["Records"], messages, strict=False):
            record["attributes"]["SenderId"] = message["sys"]["SenderId"]
        config = {**function["config"], "FunctionArn": mapping["FunctionArn"]}
        run(mapping, {**function, "config": config}, event, messages, *rest)

    provide("EventSourceMapping", refusal_of_mapping, complete)
    lambda_svc._create_esm, lambda_svc._run_sqs_batch = checked, run_whole


def settle_after(queue: Queue) -> None:
    """Let a function go on with what it sent to its own queue when no asynchronous event is open any more.

    By such messages the reader of files looks later what became of its lines. It waits for minutes, which are short
    here, and events take the time that the machine needs for them. So it would look too early, and send again what is
    still on its way. Other messages come when they are due, and not up to a second later.
    """
    sqs = ministack("services.sqs")
    receive = sqs._receive_messages_for_esm

    def received(url: str, number: int) -> Any:
        found = sqs._queues[url]
        if queue.counts.open and not queue.stopped and queue.options.clock.minute < LONG_MINUTE:
            with sqs._queues_lock:
                _postpone(found["messages"], found["attributes"]["QueueArn"])
        taken = receive(url, number)
        with sqs._queues_lock:
            next_at = min((message["visible_at"] for message in found["messages"]), default=math.inf)
        _wake(next_at - time.time())
        return taken

    sqs._receive_messages_for_esm = received


def _postpone(messages: list[dict[str, Any]], queue: str) -> None:
    """Hide what the functions of a queue's mappings sent to it, for a moment."""
    lambda_svc, roles = ministack("services.lambda_svc"), ministack("services.iam")._roles
    mapped = (one["FunctionName"] for one in lambda_svc._esms.values() if one["EventSourceArn"] == queue)
    names = {lambda_svc._functions[name]["config"]["Role"].rpartition("/")[2] for name in mapped}
    ids = {roles[name]["RoleId"] for name in names if name in roles}
    for message in messages:
        if message["sys"]["SenderId"].partition(":")[0] in ids:
            message["visible_at"] = max(message["visible_at"], time.time() + BUSY)


def _wake(seconds: float) -> None:
    """Let MiniStack look at the queues again after so many seconds, if it doesn't sooner anyway."""
    if 0 < seconds < POLL:
        timer = Timer(seconds, ministack("core.concurrency").esm_wake.set)
        timer.daemon = True
        timer.start()
