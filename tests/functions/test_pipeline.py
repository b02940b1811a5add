"""The three stages together: whatever comes in, it is stored as it was or refused in one sentence."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.aws import ServiceError
from record import InvalidRecord

from ..own import enricher, validator
from .conftest import Context, exactly

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


@given(event=EVENTS_OF_ANY_KIND)
def test_no_stage_raises_anything_but_a_refusal(processor: Any, event: object) -> None:
    """It must either succeed or refuse in one line that begins as all of them do."""
    for stage in (validator, enricher, processor):
        try:
            stage.handler(event, Context())
        except InvalidRecord as refusal:
            assert str(refusal).startswith("Invalid data: ")
            assert "\n" not in str(refusal)


def through(processor: Any, envelope: Any, record: dict[str, Any]) -> Any:
    """Send a record through the three stages as Lambda does, by way of JSON; return the processor's answer."""
    event: Any = record
    for stage in (validator, enricher):
        event = json.loads(json.dumps(envelope(event, stage.handler(event, None), stage=stage.__name__)))
    return processor.handler(event, None)


@given(record=RECORDS)
def test_any_valid_record_is_stored_with_its_data_once(
    processor: Any, endpoint: Any, envelope: Any, record: Any
) -> None:
    stored = endpoint[0].items
    stored.clear()
    assert through(processor, envelope, record) == {"statusCode": 200, "body": "Success"}
    [(key, item)] = stored.items()
    assert key == (record["id"], record.get("timestamp", key[1]))
    assert exactly(item["data"]["S"]) == exactly(json.dumps(record["data"]))
    assert item["enriched"] == {"BOOL": True}
    through(processor, envelope, {**record, "timestamp": key[1]})
    assert stored == {key: item}


def bare(body: Any) -> Any:
    return body


def in_envelope(body: Any) -> Any:
    return {"requestContext": {}, "requestPayload": 1, "responsePayload": body}


def outcomes_alone(handler: Callable[[Any, Any], Any], wrap: Callable[[Any], Any], batch: list[Any]) -> list[Any]:
    """Return what a handler makes of each record alone, a result or a refusal. An array is no record in a batch."""

    def outcome(record: Any) -> Any:
        if isinstance(record, list):
            return InvalidRecord("a record must be a JSON object (got an array)")
        try:
            return handler(wrap(record), None)
        except InvalidRecord as refusal:
            return refusal

    return [outcome(record) for record in batch]


def letters_alone(wrap: Callable[[Any], Any], batch: list[Any], outcomes: list[Any]) -> list[tuple[Any, str]]:
    """Return the event and the reason of each letter that there has to be."""
    pairs = zip(batch, outcomes, strict=True)
    return [(wrap(record), str(outcome)) for record, outcome in pairs if isinstance(outcome, InvalidRecord)]


NEARLY_JSON = st.fixed_dictionaries(
    {"data": JSON},
    optional={
        "id": st.text(min_size=1) | TEXT | JSON,
        "timestamp": st.integers(min_value=1) | JSON,
        "enriched": st.booleans() | JSON,
        "enrichedAt": st.integers(min_value=1) | JSON,
        "version": st.text() | JSON,
        "responsePayload": JSON,
    },
)
BATCHES = st.lists(RECORDS | NEARLY_JSON | JSON, min_size=1, max_size=12)


@settings(max_examples=60)
@given(batch=BATCHES)
def test_each_record_of_a_batch_is_handed_on_or_a_letter_as_if_it_had_come_alone(
    endpoint: Any, environment: None, batch: list[Any]
) -> None:
    queue = endpoint[0].queue
    for stage, wrap in ((validator, bare), (enricher, in_envelope)):
        queue.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("record.now", lambda: 1767225600000)
            patch.setattr(enricher, "now", lambda: 1767225600001)
            expected = outcomes_alone(stage.handler, wrap, batch)
            results = stage.handler(wrap(batch), Context())
        assert results == [outcome for outcome in expected if not isinstance(outcome, InvalidRecord)]
        assert list(zip(queue.bodies(), queue.reasons(), strict=True)) == letters_alone(wrap, batch, expected)


FEW = st.fixed_dictionaries(
    {"id": st.sampled_from("ab"), "timestamp": st.sampled_from([1, 2]), "data": st.sampled_from([1, 2])},
    optional={"enriched": st.just(True)},
).map(lambda record: record | ({"enrichedAt": 3, "version": "1.0"} if "enriched" in record else {}))


@settings(max_examples=60)
@given(before=st.lists(FEW, max_size=4), batch=st.lists(FEW | NEARLY_JSON, min_size=1, max_size=12))
def test_a_batch_is_stored_or_refused_as_its_records_alone(
    processor: Any, endpoint: Any, before: list[Any], batch: list[Any]
) -> None:
    dynamodb = endpoint[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("record.now", lambda: 1767225600000)
        dynamodb.clear()
        outcomes_alone(processor.handler, in_envelope, before)
        expected = outcomes_alone(processor.handler, in_envelope, batch)
        alone = dict(dynamodb.items)
        dynamodb.clear()
        outcomes_alone(processor.handler, in_envelope, before)
        assert processor.handler(in_envelope(batch), Context()) == {"statusCode": 200, "body": "Success"}
    letters = list(zip(dynamodb.queue.bodies(), dynamodb.queue.reasons(), strict=True))
    assert dynamodb.items == alone
    assert letters == letters_alone(in_envelope, batch, expected)


def delivered(handler: Callable[[Any, Any], Any], event: Any) -> Any:
    """Deliver an event until it succeeds, twice, as Lambda may; return the last result."""
    for _ in range(2):
        for _ in range(100):
            try:
                result = handler(json.loads(json.dumps(event)), Context())
            except ServiceError:
                continue
            break
        else:
            pytest.fail("an event never succeeds")
    return result


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_fails_every_record_is_stored_once_or_a_letter(
    processor: Any, dynamodb: Any, envelope: Any, no_waiting: Any, seed: int
) -> None:
    chance = random.Random(seed)
    good = [{"id": f"r{number}", "timestamp": 1, "data": number} for number in range(400)]
    bad = [{"id": f"bad{number}", "timestamp": 1} for number in range(20)]
    clashing = [{"id": f"r{number}", "timestamp": 1, "data": "other"} for number in range(20)]
    records = good + bad + clashing
    chance.shuffle(records)
    codes = ["ThrottlingError", "InternalServerError", "TransactionConflict", "ValidationError"]
    errors = [(400, "ThrottlingException"), (500, "InternalServerError"), (400, "AccessDeniedException")]
    dynamodb.failures = chance.choices([None, *errors], weights=[90, 4, 4, 2], k=1000)
    dynamodb.spoilt = chance.choices(["", "lost", "page", "cut"], weights=[94, 2, 2, 2], k=1000)
    dynamodb.fault = lambda _: (chance.choice(codes), chance.random() < 0.5) if chance.random() < 0.02 else None
    dynamodb.queue.fault = lambda _: ("InternalError", chance.random() < 0.1) if chance.random() < 0.1 else None
    for start in range(0, len(records), 40):
        event: Any = records[start : start + 40]
        for stage in (validator, enricher):
            event = envelope(event, delivered(stage.handler, event), stage=stage.__name__)
        delivered(processor.handler, event)
    letters = {json.dumps(submitted(body), sort_keys=True) for body in dynamodb.queue.bodies()}
    stored = {
        json.dumps({"id": key[0], "timestamp": key[1], "data": json.loads(item["data"]["S"])}, sort_keys=True)
        for key, item in dynamodb.items.items()
    }
    assert stored | letters == {json.dumps(record, sort_keys=True) for record in records}
    assert not stored & letters
    assert len(stored) == 400
    assert all(item["enriched"] == {"BOOL": True} for item in dynamodb.items.values())


def submitted(body: Any) -> Any:
    """Return the record in a letter's body as it was submitted."""
    record = body.get("responsePayload", body)
    return {name: value for name, value in record.items() if name in ("id", "timestamp", "data")}
