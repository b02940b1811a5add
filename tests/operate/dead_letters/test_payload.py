"""The payloads are given to the stages' own handlers: what they take is what fits."""

import json

import pytest

import enricher
import record as contract
import validator
from operate.dead_letters.payload import payload

from ..samples import STAGES, envelope, letter, record

SENT = 1_700_000_999_000


def bare() -> dict[str, object]:
    return record(1)


def validated() -> dict[str, object]:
    return envelope(record(1), validator.handler(record(1), None))


def enriched() -> dict[str, object]:
    return envelope(validated(), enricher.handler(validated(), None), stage="enricher")


def taken(stage: str, event: bytes) -> contract.Record:
    document = json.loads(event)
    return contract.parse(document if stage == "validator" else contract.unwrap(document))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("event", [bare(), validated(), enriched()], ids=["bare", "validated", "enriched"])
def test_every_stage_takes_what_is_sent_to_it(event: dict[str, object], stage: str) -> None:
    assert taken(stage, payload(letter(event), stage)) == contract.parse(record(1))


@pytest.mark.parametrize("stage", ["enricher", "processor"])
def test_an_envelope_is_sent_byte_for_byte(stage: str) -> None:
    body = json.dumps(validated(), indent=3)
    assert payload(letter(body), stage) == body.encode()


def test_a_record_is_sent_byte_for_byte() -> None:
    body = '{ "id": "ä", "timestamp": 7, "data": 1.10 }'
    assert payload(letter(body), "validator") == body.encode()


@pytest.mark.parametrize("stage", STAGES)
def test_a_record_without_a_timestamp_gets_its_letters(stage: str) -> None:
    event = letter({"id": "a", "data": 1}, sent=SENT)
    assert json.loads(payload(event, stage)) == {"id": "a", "data": 1, "timestamp": SENT}


def test_the_entry_gets_the_timestamp_that_it_gave_before() -> None:
    submitted = {"id": "a", "data": 1}
    stamped = envelope(submitted, {"valid": True, **submitted, "timestamp": 42})
    deeper = envelope(stamped, {**submitted, "timestamp": 42, "enriched": True}, stage="enricher")
    for event in (stamped, deeper):
        assert json.loads(payload(letter(event, sent=SENT), "validator")) == {**submitted, "timestamp": 42}


def test_an_event_that_is_no_object_is_sent_as_it_is() -> None:
    assert payload(letter('"order-1"'), "validator") == b'"order-1"'
