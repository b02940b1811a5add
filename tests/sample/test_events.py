"""The sample events: each good one passes the stages, each bad one is refused in its sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import enricher
import validator
from record import InvalidRecord

from ..functions.conftest import Context

EVENTS = Path(__file__).parents[2] / "events"


def through(processor: Any, envelope: Any, record: Any) -> None:
    """Send a record through the three stages."""
    event = record
    for stage in (validator, enricher):
        event = envelope(event, stage.handler(event, None), stage=stage.__name__)
    processor.handler(event, None)


def sample(name: str) -> Any:
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def samples() -> list[Any]:
    return [json.loads(line) for line in (EVENTS / "records.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_sample_records_are_eighteen_good_and_six_bad(processor: Any, dynamodb: Any, envelope: Any) -> None:
    refusals = []
    for record in samples():
        try:
            through(processor, envelope, record)
        except InvalidRecord as refusal:
            refusals.append(str(refusal))
    assert len(dynamodb.items) == 18
    assert sorted(refusals) == [
        "Invalid data: a record must be a JSON object (got a string)",
        "Invalid data: id must be a string (got an integer)",
        "Invalid data: id must not be empty",
        "Invalid data: missing data field",
        "Invalid data: missing data field",
        "Invalid data: timestamp must be positive",
    ]


GOOD_EVENTS = {
    "valid.json": validator,
    "without-timestamp.json": validator,
    "conflicting.json": validator,
    "validated.json": enricher,
    "enriched.json": enricher,
}
BAD_EVENTS = {
    "missing-data.json": "missing data field",
    "null-data.json": "missing data field",
    "missing-id.json": "missing id field",
    "bad-timestamp.json": r"timestamp must be an integer of milliseconds \(got a string\)",
    "no-record.json": r"a record must be a JSON object \(got a string\)",
    "empty-batch.json": "a batch must not be empty",
    "envelope-without-response.json": "envelope without responsePayload",
}


def test_every_sample_event_is_tested() -> None:
    events = {path.name for path in EVENTS.glob("*.json")} - {"env.json"}  # which holds variables for sam local
    assert events == {"batch.json", *GOOD_EVENTS, *BAD_EVENTS}


def test_the_sample_batch_is_three_good_records_and_a_bad_one(processor: Any, dynamodb: Any, envelope: Any) -> None:
    event = sample("batch.json")
    for stage in (validator, enricher):
        event = envelope(event, stage.handler(event, Context()), stage=stage.__name__)
    processor.handler(event, Context())
    assert [key[0] for key in dynamodb.items] == ["order-2001", "order-2002", "order-2003"]
    assert dynamodb.queue.bodies() == [{"id": "order-2901", "timestamp": 1767227440110}]
    assert dynamodb.queue.reasons() == ["Invalid data: missing data field"]


@pytest.mark.parametrize(("name", "stage"), GOOD_EVENTS.items())
def test_a_good_sample_event_is_accepted(processor: Any, dynamodb: Any, name: str, stage: Any) -> None:
    assert stage.handler(sample(name), None)["data"]
    assert processor.handler(sample(name), None)["statusCode"] == 200


@pytest.mark.parametrize(("name", "sentence"), BAD_EVENTS.items())
def test_a_bad_sample_event_is_refused(processor: Any, dynamodb: Any, name: str, sentence: str) -> None:
    for handler in (enricher.handler, processor.handler):
        with pytest.raises(InvalidRecord, match=f"^Invalid data: {sentence}$"):
            handler(sample(name), None)
    assert not dynamodb.items


def test_the_conflicting_sample_conflicts_with_the_valid_one(processor: Any, dynamodb: Any) -> None:
    processor.handler(sample("valid.json"), None)
    with pytest.raises(InvalidRecord, match="another record with the same id and timestamp"):
        processor.handler(sample("conflicting.json"), None)
