"""The processor stores each record exactly once, whatever is delivered twice."""

import json
import logging
import re
from contextlib import nullcontext
from typing import Any

import pytest

import record
from record import InvalidRecord, parse

GOOD: dict[str, Any] = {"id": "order-1", "timestamp": 1767225600000, "data": {"total": 12.5, "city": "Praha"}}
ENRICHED = GOOD | {"enriched": True, "enrichedAt": 1767225600500, "version": "1.0"}
KEY = ("order-1", 1767225600000)
SUCCESS = {"statusCode": 200, "body": "Success"}
ITEM = {"id": {"S": "order-1"}, "timestamp": {"N": "1767225600000"}, "data": {"S": '{"city":"Praha","total":12.5}'}}
ENRICHED_ITEM = ITEM | {"enriched": {"BOOL": True}, "enrichedAt": {"N": "1767225600500"}, "version": {"S": "1.0"}}


def test_a_bare_record_is_stored(processor: Any, dynamodb: Any) -> None:
    assert processor.handler(GOOD, None) == SUCCESS
    assert dynamodb.items == {KEY: ITEM}
    assert [request["TableName"] for request in dynamodb.requests] == ["records"]


def test_the_enrichers_result_is_stored_from_its_envelope(processor: Any, dynamodb: Any, envelope: Any) -> None:
    assert processor.handler(envelope({}, ENRICHED, stage="enricher"), None) == SUCCESS
    assert dynamodb.items == {KEY: ENRICHED_ITEM}


def test_the_same_record_ten_times_is_one_item_and_ten_successes(processor: Any, dynamodb: Any) -> None:
    assert [processor.handler(ENRICHED | {"enrichedAt": at}, None) for at in range(1, 11)] == [SUCCESS] * 10
    assert dynamodb.items == {KEY: ENRICHED_ITEM | {"enrichedAt": {"N": "1"}}}


@pytest.mark.parametrize(
    ("stored", "sent", "same"), [("[1.0]", [1], True), ("[1.0]", [2], False), ('"1.0"', "1", False)]
)
def test_what_an_earlier_version_stored_in_another_spelling_is_the_same_record(
    processor: Any, dynamodb: Any, stored: str, sent: Any, same: bool
) -> None:
    dynamodb.items[KEY] = ENRICHED_ITEM | {"data": {"S": stored}}
    with nullcontext() if same else pytest.raises(InvalidRecord):
        assert processor.handler(ENRICHED | {"data": sent}, None) == SUCCESS
    assert dynamodb.items == {KEY: ENRICHED_ITEM | {"data": {"S": stored}}}


@pytest.mark.parametrize("first", [GOOD, ENRICHED], ids=["bare", "enriched"])
@pytest.mark.parametrize("second", [GOOD, ENRICHED], ids=["bare", "enriched"])
def test_other_data_under_the_same_key_is_refused(processor: Any, dynamodb: Any, first: Any, second: Any) -> None:
    processor.handler(first, None)
    stored = dict(dynamodb.items)
    conflict = "^Invalid data: another record with the same id and timestamp is stored$"
    with pytest.raises(InvalidRecord, match=conflict) as raised:
        processor.handler(second | {"data": "other"}, None)
    assert type(raised.value).__name__ == "ConflictingRecord"
    assert dynamodb.items == stored


@pytest.mark.parametrize("copies", [(GOOD, ENRICHED), (ENRICHED, GOOD)], ids=["is completed", "is not replaced"])
def test_of_two_copies_the_enriched_one_stays(processor: Any, dynamodb: Any, copies: Any) -> None:
    assert [processor.handler(copy, None) for copy in copies] == [SUCCESS] * 2
    assert dynamodb.items == {KEY: ENRICHED_ITEM}


def test_an_item_holds_the_record_and_its_enrichment(processor: Any) -> None:
    assert processor.handler.__wrapped__(parse(ENRICHED, added=True)) == ENRICHED_ITEM


@pytest.mark.parametrize("fields", [{}, {"enriched": False}, ENRICHED | {"enriched": False}, {"version": 7}])
def test_a_record_need_not_be_enriched(processor: Any, fields: dict[str, Any]) -> None:
    assert processor.handler.__wrapped__(parse(GOOD | fields, added=True)) == ITEM


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"enriched": "true"}, "enriched must be true or false (got a string)"),
        ({"enriched": None}, "enriched must be true or false (got null)"),
        ({"enrichedAt": 0}, "enrichedAt must be positive"),
        ({"version": "1" * 17}, "version must be at most 16 bytes of UTF-8 (got 17)"),
    ],
)
def test_each_fault_of_an_enrichment_has_its_sentence(processor: Any, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRecord, match=f"^Invalid data: {re.escape(sentence)}$"):
        processor.handler.__wrapped__(parse(ENRICHED | fields, added=True))


@pytest.mark.parametrize("name", ["enrichedAt", "version"])
def test_an_enriched_record_has_all_of_the_enrichment(processor: Any, name: str) -> None:
    rest = {key: value for key, value in ENRICHED.items() if key != name}
    with pytest.raises(InvalidRecord, match=f"^Invalid data: missing {name} field in an enriched record$"):
        processor.handler.__wrapped__(parse(rest, added=True))


def test_what_another_stage_added_is_stored_enriched_or_not(processor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    more = (*record.ADDED, record.Field("audited", record.boolean, at_most=1))
    for module in (processor, record):
        monkeypatch.setattr(module, "ADDED", more)
    audited = {"audited": {"BOOL": True}}
    assert processor.handler.__wrapped__(parse(GOOD | {"audited": True}, added=True)) == ITEM | audited
    assert processor.handler.__wrapped__(parse(ENRICHED | {"audited": True}, added=True)) == ENRICHED_ITEM | audited
    with pytest.raises(InvalidRecord, match=r"^Invalid data: audited must be true or false \(got an integer\)$"):
        processor.handler.__wrapped__(parse(GOOD | {"audited": 1}, added=True))


@pytest.mark.parametrize(
    "event",
    [
        *(None, {"id": "order-1", "timestamp": 1}, {"requestContext": {}}, {"responsePayload": None}),
        *(GOOD | {"id": ""}, ENRICHED | {"version": 1}, ENRICHED | {"enriched": 1}),
    ],
)
def test_what_is_refused_is_never_sent_to_the_table(processor: Any, dynamodb: Any, event: object) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: "):
        processor.handler(event, None)
    assert dynamodb.requests == []


def test_the_log_says_what_became_of_a_record_and_never_its_data(
    processor: Any, dynamodb: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    marked = ENRICHED | {"data": "marker"}
    processor.handler(marked, None)
    processor.handler(marked, None)
    with pytest.raises(InvalidRecord):
        processor.handler(marked | {"data": "marker-2"}, None)
    lines = [line for line in caplog.records if line.name == "stage"]
    assert [line.getMessage() for line in lines] == ["record stored", "record already stored", "record refused"]
    assert {line.recordId for line in lines} == {"order-1"}
    assert "marker" not in str([vars(line) for line in caplog.records])


def test_the_line_of_a_stored_record_names_the_request(
    processor: Any, context: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    monkeypatch.setattr("core.stage._LOGS_JSON", True)
    caplog.set_level(logging.INFO)
    processor.handler(GOOD, context)
    line = json.loads(capsys.readouterr().out)
    assert (line["message"], line["requestId"]) == ("record stored", context.aws_request_id)
