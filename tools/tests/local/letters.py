"""Dead letters as SQS returns them, for tests that have no queue."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from pipeline.local.results import Failure, take_failures
from tools.tests.stack.samples import sender, stack


def failures(*messages: dict[str, Any]) -> list[Failure]:
    """Take messages out of a scripted queue."""
    answers = [{"Messages": list(messages)}, {}]
    client = SimpleNamespace(receive_message=lambda **_: answers.pop(0), delete_message_batch=lambda **_: None)
    return list(take_failures(client, stack()))


def message(body: object, stage: str) -> dict[str, Any]:
    attributes = {"SenderId": sender(stage)}
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body), "Attributes": attributes}
