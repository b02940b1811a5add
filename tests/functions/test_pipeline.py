"""The three stages together: whatever comes in, it is stored as it was or refused in one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import enricher
import validator
from record import InvalidRecord

EVENTS = Path(__file__).parents[2] / "events"

SURROGATES = st.characters(categories=["Cs"])
TEXT = st.text() | st.text(st.characters() | SURROGATES)
JUNK_VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary() | st.complex_numbers()
    | st.just(5000).map(lambda digits: 10**digits)  # no decimal text, so Hypothesis could not show it as a constant
    | st.sampled_from([object(), ..., math.nan, -(10**38), 10**38, "a" * 2049])
)  # fmt: skip
JUNK = st.recursive(
    JUNK_VALUES,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.sets(st.integers())
        | st.dictionaries(TEXT | st.integers() | st.none() | st.floats() | st.binary(), inner)
    ),
    max_leaves=10,
)  # fmt: skip
FINITE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    FINITE | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15
)
NEARLY = st.fixed_dictionaries(
    {"data": JSON | JUNK},
    optional={
        "id": st.text(min_size=1) | JUNK,
        "timestamp": st.integers(min_value=1) | JUNK,
        "enriched": st.just(True) | JUNK,
        "enrichedAt": st.integers(min_value=1) | JUNK,
        "version": st.text() | JUNK,
        "extra": JUNK,
    },
)
ENVELOPES = st.fixed_dictionaries({"responsePayload": NEARLY | JUNK}, optional={"requestContext": JUNK, "extra": JUNK})
EVENTS_OF_ANY_KIND = JSON | JUNK | NEARLY | ENVELOPES | st.fixed_dictionaries({"requestContext": JUNK})
RECORDS = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=100), "data": JSON.filter(lambda data: data is not None)},
    optional={"timestamp": st.integers(min_value=1, max_value=10**38 - 1)},
)


def refused_or_done(handler: Callable[[Any, Any], dict[str, Any]], event: object) -> None:
    """Call a handler, which must either succeed or refuse in one line that begins as all of them do."""
    try:
        handler(event, None)
    except InvalidRecord as refusal:
        assert str(refusal).startswith("Invalid data: ")
        assert "\n" not in str(refusal)


@given(EVENTS_OF_ANY_KIND)
def test_the_validator_raises_nothing_but_a_refusal(event: object) -> None:
    refused_or_done(validator.handler, event)


@given(EVENTS_OF_ANY_KIND)
def test_the_enricher_raises_nothing_but_a_refusal(event: object) -> None:
    refused_or_done(enricher.handler, event)


@given(event=EVENTS_OF_ANY_KIND)
def test_the_processor_raises_nothing_but_a_refusal(processor: Any, event: object) -> None:
    refused_or_done(processor.handler, event)


def through(processor: Any, envelope: Any, record: dict[str, Any]) -> Any:
    """Send a record through the three stages as Lambda does, by way of JSON; return the processor's answer."""
    event: Any = record
    for stage in (validator, enricher):
        event = json.loads(json.dumps(envelope(event, stage.handler(event, None), stage=stage.__name__)))
    return processor.handler(event, None)


@given(record=RECORDS)
def test_any_valid_record_is_stored_with_its_data(processor: Any, endpoint: Any, envelope: Any, record: Any) -> None:
    stored = endpoint[0].items
    stored.clear()
    assert through(processor, envelope, record) == {"statusCode": 200, "body": "Success"}
    [(key, item)] = stored.items()
    assert key == (record["id"], record.get("timestamp", key[1]))
    assert json.loads(item["data"]["S"]) == record["data"]
    assert item["enriched"] == {"BOOL": True}


@given(record=RECORDS.filter(lambda record: "timestamp" in record))
def test_a_record_sent_twice_is_stored_once(processor: Any, endpoint: Any, envelope: Any, record: Any) -> None:
    stored = endpoint[0].items
    stored.clear()
    through(processor, envelope, record)
    once = dict(stored)
    through(processor, envelope, record)
    assert stored == once


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
    "no-record.json": r"a record must be a JSON object \(got an array\)",
    "envelope-without-response.json": "envelope without responsePayload",
}


def test_every_sample_event_is_tested() -> None:
    events = {path.name for path in EVENTS.glob("*.json")} - {"env.json"}  # which holds variables for sam local
    assert events == set(GOOD_EVENTS) | set(BAD_EVENTS)


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
