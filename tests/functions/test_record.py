"""The record contract: every fault has its sentence, and what passes is a record that DynamoDB holds."""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import record
from core.json_faults import json_fault
from record import (
    ADDED,
    ENRICHMENT,
    FIELDS,
    MAX_DEPTH,
    MAX_ITEM_BYTES,
    MAX_TIMESTAMP,
    Field,
    InvalidRecord,
    boolean,
    json_value,
    known_id,
    milliseconds,
    parse,
    text,
    unwrap,
)

from .conftest import exactly, nested

GOOD: dict[str, Any] = {"id": "order-1", "timestamp": 1767225600000, "data": {"total": 12.5}}


def circular() -> object:
    value: list[object] = []
    value.append(value)
    return value


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


DEEP = f"data must be nested at most {MAX_DEPTH} levels deep"
NO_JSON = "data must be a value that can be encoded as JSON"
SURROGATE = "must not hold a lone surrogate, which UTF-8 cannot encode"

FAULTS: list[tuple[object, str]] = [
    (None, "a record must be a JSON object (got null)"),
    ([GOOD], "a record must be a JSON object (got an array)"),
    ("order-1", "a record must be a JSON object (got a string)"),
    (object(), "a record must be a JSON object (got no JSON value)"),
    ({}, "missing data field"),
    (without("data"), "missing data field"),
    (GOOD | {"data": None}, "missing data field"),
    (without("id"), "missing id field"),
    (GOOD | {"id": None}, "id must be a string (got null)"),
    (GOOD | {"id": 7}, "id must be a string (got an integer)"),
    (GOOD | {"id": ""}, "id must not be empty"),
    (GOOD | {"id": "a" * 2049}, "id must be at most 2048 bytes of UTF-8 (got 2049)"),
    (GOOD | {"id": "é" * 1025}, "id must be at most 2048 bytes of UTF-8 (got 2050)"),
    (GOOD | {"id": "a\ud800"}, f"id {SURROGATE}"),
    (GOOD | {"timestamp": None}, "timestamp must be an integer of milliseconds (got null)"),
    (GOOD | {"timestamp": True}, "timestamp must be an integer of milliseconds (got a boolean)"),
    (GOOD | {"timestamp": "1767225600000"}, "timestamp must be an integer of milliseconds (got a string)"),
    (GOOD | {"timestamp": 1767225600000.0}, "timestamp must be an integer of milliseconds (got a decimal number)"),
    (GOOD | {"timestamp": 0}, "timestamp must be positive"),
    (GOOD | {"timestamp": -1}, "timestamp must be positive"),
    (GOOD | {"timestamp": MAX_TIMESTAMP + 1}, "timestamp must have at most 38 digits"),
    (GOOD | {"timestamp": 10**6000}, "timestamp must have at most 38 digits"),
    (GOOD | {"data": math.nan}, "data must not hold NaN or Infinity"),
    (GOOD | {"data": {"a": [-math.inf]}}, "data must not hold NaN or Infinity"),
    (GOOD | {"data": "\udfff"}, f"data {SURROGATE}"),
    (GOOD | {"data": {"a\ud800": 1}}, f"data {SURROGATE}"),
    (GOOD | {"data": nested(MAX_DEPTH + 1)}, DEEP),
    (GOOD | {"data": nested(100_000)}, DEEP),
    (GOOD | {"data": 10**6000}, NO_JSON),
    (GOOD | {"data": circular()}, NO_JSON),
    (GOOD | {"data": b"bytes"}, NO_JSON),
    (GOOD | {"data": {1: "a", "b": "c"}}, NO_JSON),
    (GOOD | {"data": [math.nan, b"bytes"]}, NO_JSON),
]


@pytest.mark.parametrize(("event", "sentence"), FAULTS, ids=lambda value: value[:60] if isinstance(value, str) else "")
def test_each_fault_has_its_sentence(event: object, sentence: str) -> None:
    with pytest.raises(InvalidRecord, match=f"^Invalid data: {re.escape(sentence)}$"):
        parse(event)


def test_a_value_whose_json_is_known_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.json_faults._canonical", lambda value: pytest.fail("encoded again"))
    deep = nested(MAX_DEPTH + 1)
    assert json_fault(deep, json.dumps(deep), MAX_DEPTH) == "must be nested at most 400 levels deep"


def test_data_is_looked_at_first() -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: missing data field$"):
        parse({"id": 7, "timestamp": -1})


@pytest.mark.parametrize("data", [0, False, "", [], {}])
def test_empty_data_is_data(data: object) -> None:
    assert parse(GOOD | {"data": data}).data == data


def test_the_text_is_the_same_for_the_same_data() -> None:
    assert parse(GOOD | {"data": {"b": "é", "a": 1}}).own["data"] == {"S": '{"a":1,"b":"é"}'}


@pytest.mark.parametrize(
    "fields",
    [
        *({"id": "a" * 2048}, {"id": "é" * 1024}, {"timestamp": 1}, {"timestamp": MAX_TIMESTAMP}),
        *({"data": nested(MAX_DEPTH)}, {"data": "[{" * 10_000}, {"data": [[{}]] * 10_000}),
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_the_limits_themselves_are_valid(fields: dict[str, Any]) -> None:
    assert parse(GOOD | fields)


def largest_data(**fields: object) -> int:
    """Return how many ASCII characters of data fit, by DynamoDB's sizing of the item that is stored at last."""
    record = parse(GOOD | {"data": ""} | fields)
    added = sum(len(field.name) + field.at_most for field in ADDED)
    number = (len(str(record.timestamp)) + 1) // 2 + 1
    return MAX_ITEM_BYTES - len("id" + "timestamp" + "data") - added - number - len(record.id.encode()) - len('""')


def test_the_item_size_limit_leaves_room_for_the_largest_value_of_what_stages_add() -> None:
    sizes = {milliseconds: 20, boolean: 1}
    assert [field.at_most for field in ADDED] == [sizes.get(field.kind, field.at_most) for field in ADDED]


@pytest.mark.parametrize("letter", ["a", "é"])
@pytest.mark.parametrize(
    "fields", [{}, {"id": "é" * 50}, {"timestamp": MAX_TIMESTAMP}], ids=["plain", "id", "timestamp"]
)
def test_the_item_size_limit_counts_every_attribute_in_bytes_of_utf8(fields: dict[str, Any], letter: str) -> None:
    one = len(letter.encode())
    size = largest_data(**fields) // one
    assert parse(GOOD | fields | {"data": letter * size})
    with pytest.raises(InvalidRecord, match=r"the stored item must be at most 409600 bytes \(got 40960[12]\)"):
        parse(GOOD | fields | {"data": letter * (size + 1)})


def test_a_record_without_timestamp_is_stamped_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("record.time.time_ns", lambda: 1767225600123_999_999)
    assert parse(without("timestamp")).timestamp == 1767225600123


def test_the_body_is_a_bare_record_itself_or_an_envelopes_response_payload(envelope: Any) -> None:
    assert unwrap(GOOD) is unwrap(envelope({}, GOOD)) is GOOD


def test_an_envelope_needs_a_response_payload(envelope: Any) -> None:
    event = envelope({}, GOOD)
    del event["responsePayload"]
    with pytest.raises(InvalidRecord, match=r"^Invalid data: envelope without responsePayload$"):
        unwrap(event)


@pytest.mark.parametrize("body", [None, [], "text", 7, {"errorMessage": "failed"}])
def test_an_envelope_around_no_record_is_refused(envelope: Any, body: object) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: (a record must be|missing data)"):
        parse(unwrap(envelope({}, body)))


def test_the_names_of_fields_are_words_and_each_is_declared_once() -> None:
    names = [field.name for field in (*FIELDS, *ADDED)]
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name in names)
    assert len(set(names)) == len(names)
    assert set(ENRICHMENT) <= {field.name for field in ADDED}


def test_every_record_has_an_id_and_data() -> None:
    assert {"id", "data"} <= {field.name for field in FIELDS if field.required}


def test_a_record_holds_the_fields_that_are_declared_and_no_others() -> None:
    assert parse(GOOD | {"enriched": True, "trace": "x"}).fields == GOOD


def test_what_stages_added_is_taken_along_as_it_is_where_it_is_asked_for() -> None:
    assert parse(GOOD | {"enriched": 7, "trace": "x"}, added=True).fields == GOOD | {"enriched": 7}


@pytest.fixture
def more_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        Field("source", text, at_most=8),
        Field("sentAt", milliseconds),
        Field("test", boolean),
        Field("meta", json_value),
        Field("tenant", text, required=True, at_most=8),
    )
    monkeypatch.setattr(record, "FIELDS", FIELDS + more)


MORE = {"source": "shop", "sentAt": 5, "test": True, "meta": {"b": 1, "a": 2}, "tenant": "t"}


def test_a_field_that_is_declared_is_held_and_stored(more_fields: None) -> None:
    parsed = parse(GOOD | MORE)
    assert parsed.fields == GOOD | MORE
    assert {name: parsed.own[name] for name in MORE} == {
        "source": {"S": "shop"},
        "sentAt": {"N": "5"},
        "test": {"BOOL": True},
        "meta": {"S": '{"a":2,"b":1}'},
        "tenant": {"S": "t"},
    }


def test_a_field_is_optional_unless_it_is_declared_as_required(more_fields: None) -> None:
    assert set(parse(GOOD | {"tenant": "t"}).own) == {*GOOD, "tenant"}
    with pytest.raises(InvalidRecord, match=r"^Invalid data: missing tenant field$"):
        parse(GOOD)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"source": None}, "source must be a string (got null)"),
        ({"source": "more than 8"}, "source must be at most 8 bytes of UTF-8 (got 11)"),
        ({"sentAt": "5"}, "sentAt must be an integer of milliseconds (got a string)"),
        ({"test": 1}, "test must be true or false (got an integer)"),
        ({"meta": {"a": math.nan}}, "meta must not hold NaN or Infinity"),
    ],
)
def test_each_fault_of_a_declared_field_names_it(more_fields: None, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecord, match=f"^Invalid data: {re.escape(sentence)}$"):
        parse(GOOD | MORE | fields)


def test_the_item_size_limit_counts_declared_fields(more_fields: None) -> None:
    names = sum(map(len, MORE))
    size = largest_data(**MORE) - names - len("shop") - 2 - len('{"a":2,"b":1}') - len("t")
    assert parse(GOOD | MORE | {"data": "a" * (size - 3)})
    with pytest.raises(InvalidRecord, match="the stored item must be at most 409600 bytes"):
        parse(GOOD | MORE | {"data": "a" * size})


@pytest.mark.parametrize(
    ("event", "expected"),
    [(GOOD, "order-1"), (without("data"), "order-1"), ({"id": 7}, None), ({"requestContext": {}}, None), (None, None)],
)
def test_the_id_of_a_refused_event_is_known_if_it_is_valid(event: object, expected: str | None) -> None:
    assert known_id(event) == expected


ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(ATOMS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15)


@given(JSON.filter(lambda value: value is not None))
def test_any_json_data_comes_back_from_its_text(data: object) -> None:
    assert exactly(parse(GOOD | {"data": data}).own["data"]["S"]) == exactly(json.dumps(data))
