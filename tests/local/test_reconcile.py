"""What became of each line."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from local.reconcile import Failure, Fate, canonical, reconcile, take_failures
from local.submit import Line, Submission
from tests.deployed.samples import alias, envelope, record, sender, stack


def test_equal_documents_are_equal_texts_and_others_are_not() -> None:
    assert canonical({"a": 1, "b": [1.5, None]}) == canonical({"b": [1.5, None], "a": 1})
    assert len({canonical(value) for value in (1, True, "1", 1.5, None, [1], {"1": 1})}) == 7


def failures(*messages: dict[str, Any]) -> list[Failure]:
    """Take messages out of a scripted queue."""
    answers = [{"Messages": list(messages)}, {}]
    client = SimpleNamespace(receive_message=lambda **_: answers.pop(0), delete_message_batch=lambda **_: None)
    return take_failures(client, stack())


def message(body: object, stage: str) -> dict[str, Any]:
    attributes = {"SenderId": sender(stage)}
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body), "Attributes": attributes}


def test_a_bare_record_with_a_request_context_of_its_own_is_the_validators() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=record(2))
    (failure,) = failures(message(own, "validator"))
    assert (failure.stage, json.loads(failure.origin)) == ("validator", own)
    (line,) = reconcile([Submission(Line(1, json.dumps(own).encode()), "request")], [], [failure])
    assert line.fate is Fate.DEAD


def test_a_letter_of_a_later_stage_leads_to_the_submitted_record() -> None:
    (failure,) = failures(message(envelope(record(1), {"valid": True, **record(1)}), "enricher"))
    assert (failure.stage, json.loads(failure.origin)) == ("enricher", record(1))


def test_a_letter_that_no_role_of_the_stack_sent_is_of_no_stage() -> None:
    (failure,) = failures(message(record(1), "stranger"))
    assert failure.stage == "unknown"
