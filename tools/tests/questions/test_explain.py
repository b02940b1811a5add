"""What is made of all that is known of a record."""

import json
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from pipeline.letters.selection import Finding
from pipeline.questions.explain import Evidence, Line, Moment, describe, find_in_files, find_lines, is_about
from pipeline.questions.logs import MOST, LogLine
from pipeline.records.table import Item, Key
from pipeline.stack import DeadLetter, attribute

from ..stack.samples import STAGES, envelope, letter, record, stack

NINE = 1_767_258_000_000
"""2026-01-01T09:00:00Z."""
SECOND = 1000
KEY = {"id": {"S": "r-1"}, "timestamp": {"N": "1700000000001"}}
ENRICHMENT = {"enriched": {"BOOL": True}, "enrichedAt": {"N": str(NINE)}, "version": {"S": "1.0"}}
STORED = Item.of({**KEY, "data": {"S": '{"n":1.10}'}, **ENRICHMENT})


def found(one: DeadLetter) -> Finding:
    return Finding(one, attribute(one, stack()))


def line(stage: str, message: str, at: int, request: str = "a", **fields: Any) -> Line:
    """A line of the record, so many seconds after nine."""
    told = {"message": message, "logger": "stage", "requestId": request, "recordId": "r-1", **fields}
    return Line(stage, LogLine(NINE + at * SECOND, told))


def evidence(*lines: Line, items: Any = (), letters: Any = (), files: Any = ()) -> Evidence:
    return Evidence("r-1", items, letters, lines, files, STAGES, NINE)


def whats(told: Evidence) -> list[str]:
    return [moment.what for moment in told.moments]


PASSED = (
    line("validator", "record accepted", 1, "v1"),
    line("enricher", "record enriched", 2, "e1"),
    line("processor", "record stored", 3, "p1", recordTimestamp=1700000000001),
)
WAITS = found(letter(record(1), of="validator", sent=NINE + 9 * SECOND, error="Invalid data: missing data field"))
FILE = Moment(NINE + 5 * SECOND, "orders.jsonl", "refused in line 3", "it is not JSON")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (evidence(*PASSED, items=[STORED]), "stored once, at 2026-01-01T09:00:03Z"),
        (evidence(items=[STORED]), "stored once, at 2026-01-01T09:00:00Z"),
        (evidence(items=[STORED, STORED._replace(key=Key("r-1", 2))]),
         "stored as 2 records, with the timestamps 1700000000001, 2"),
        (evidence(items=[STORED], letters=[WAITS]),
         "stored once, at 2026-01-01T09:00:00Z; another record of this id waits as a dead letter of the validator: "
         "Invalid data: missing data field"),
        (evidence(PASSED[0], letters=[WAITS, WAITS]),
         "waits as a dead letter of the validator (and 1 more): Invalid data: missing data field"),
        (evidence(files=[FILE]), "refused in line 3 of orders.jsonl at 2026-01-01T09:00:05Z: it is not JSON"),
        (evidence(PASSED[0], files=[FILE]),
         "refused in line 3 of orders.jsonl at 2026-01-01T09:00:05Z: it is not JSON"),
        (evidence(line("validator", "record accepted", 6), files=[FILE]),
         "accepted by the validator at 2026-01-01T09:00:06Z and not stored since"),
        (evidence(line("validator", "record refused", 1, reason="id must not be empty")),
         "refused by the validator at 2026-01-01T09:00:01Z: id must not be empty"),
        (evidence(*PASSED[:2]), "enriched by the enricher at 2026-01-01T09:00:02Z and not stored since"),
        (evidence(*PASSED[:2], line("processor", "stage failed", 4, reason="ServiceError")),
         "failed in the processor at 2026-01-01T09:00:04Z (ServiceError), and not stored since: "
         "Lambda may try it again"),
        (evidence(*PASSED), "stored by the processor at 2026-01-01T09:00:03Z, and deleted since"),
        (evidence(), "never seen since 2026-01-01T09:00:00Z"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_became_of_it(told: Evidence, sentence: str) -> None:
    assert told.sentence == sentence
    assert describe(told)["stored"] == bool(told.items)


def test_an_attempt_a_second_delivery_a_second_event_and_a_redrive_are_told_apart() -> None:
    told = evidence(
        *PASSED,
        line("processor", "record already stored", 4, "p1", recordTimestamp=1700000000001),
        line("validator", "record accepted", 5, "v2"),
        line("enricher", "record enriched", 6, "e2"),
        line("processor", "stage failed", 7, "p2", reason="ServiceError"),
        line("processor", "stage failed", 8, "p2", reason="ServiceError"),
        line("processor", "record already stored", 9, "p3", recordTimestamp=1700000000001),
    )
    assert whats(told) == [
        *("record accepted", "record enriched", "record stored", "record already stored (delivered again)"),
        *("record accepted (sent again)", "record enriched (sent again)", "stage failed (sent again)"),
        *("stage failed (attempt 2)", "record already stored (redriven)"),
    ]


def test_another_record_of_the_id_is_no_second_event() -> None:
    one, two = (line("validator", "record accepted", n, f"v{n}", recordTimestamp=n) for n in (1, 2))
    assert whats(evidence(one, two)) == ["record accepted", "record accepted"]


def test_a_letter_tells_its_attempts_and_whether_it_is_a_whole_batch() -> None:
    batch = [record(1), record(2)]
    whole = found(letter(envelope(batch, batch), of="enricher", request_id="e1", sent=NINE + 9 * SECOND))
    failed = [line("enricher", "stage failed", n, "e1", recordId=None) for n in (1, 2, 3)]
    moment = evidence(*failed, letters=[whole]).moments[-1]
    assert moment.what == "waits as a dead letter of the enricher"
    assert moment.detail == "a batch of 2 records, 3 attempts: it failed"


@pytest.mark.parametrize(
    ("body", "of", "about"),
    [
        (record(1), "validator", True),
        (record(2), "validator", False),
        ([record(2), record(1)], "validator", True),
        (envelope([record(1), record(2)], record(2)), "enricher", False),
        (envelope([record(1), record(2)], record(1)), "enricher", True),
        (envelope(record(1), [record(2), record(1)]), "enricher", True),
        ("r-1", "validator", False),
        ('"r-1"', "validator", True),
        (record(1), "nobody", True),
    ],
)
def test_a_letter_is_about_the_records_that_the_failed_stage_was_given(body: object, of: str, about: bool) -> None:
    assert is_about(found(letter(body, of=of)), "r-1") == about


def test_an_id_that_is_no_text_is_found_by_how_it_is_written() -> None:
    assert is_about(found(letter({"id": 2904})), "2904")
    assert not is_about(found(letter({"id": True})), "1")


def test_the_refusals_of_other_records_of_its_batch_are_no_attempts() -> None:
    missing = "Invalid data: missing data field"
    client = Logs(
        event(1, message="record refused", requestId="v1", recordId="r-1", reason=missing),
        event(2, message="record refused", requestId="v1", recordId=None, reason="Invalid data: id must not be empty"),
        event(3, message="batch accepted", requestId="v1", records=3, refused=2),
    )
    waits = found(letter(record(1), of="validator", request_id="v1", sent=0, error=missing))
    lines = find_lines(client, stack("validator"), "r-1", [waits], since=0)
    told = evidence(*lines, letters=[waits])
    assert whats(told) == ["record refused", "batch accepted", "waits as a dead letter of the validator"]
    assert told.moments[-1].detail == f"1 attempt: {missing}"


def test_a_batch_that_is_delivered_again_is_no_attempt() -> None:
    again = evidence(*(line("validator", "batch accepted", n, recordId=None, records=2) for n in (1, 2)))
    assert whats(again) == ["batch accepted", "batch accepted (delivered again)"]


def test_a_letter_follows_what_led_to_it_though_the_queues_clock_is_behind() -> None:
    refused = line("validator", "record refused", 1, "v1")
    waits = found(letter(record(1), of="validator", request_id="v1", sent=NINE + SECOND - 1))
    moments = evidence(refused, letters=[waits]).moments
    assert [one.where for one in moments] == ["validator", "dead letters"]


class Logs:
    """Pages of lines, which take no notice of the pattern; like MiniStack it ends after so many."""

    def __init__(self, *events: dict[str, Any], most: int = MOST) -> None:
        self.events, self.most = events, most
        self.patterns: list[str] = []

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, filterPattern: str, startTime: int, **_: Any) -> list[dict[str, Any]]:  # noqa: N803
        self.patterns.append(filterPattern)
        return [{"events": [one for one in self.events if one["timestamp"] >= startTime][: self.most]}]


def event(number: int, **fields: Any) -> dict[str, Any]:
    return {"timestamp": number, "eventId": str(number), "message": json.dumps({"logger": "stage", **fields})}


def test_the_lines_of_a_letters_invocations_are_found_too() -> None:
    batch = [record(1), record(2)]
    waits = found(letter(envelope(batch, batch, request_id="v1"), of="enricher", request_id="e1"))
    client = Logs(
        event(1, message="batch accepted", requestId="v1", records=2),
        event(2, message="record refused", requestId="v1", recordId="r-2"),
        event(3, message="batch accepted", requestId="other", records=2),
        event(4, message="record accepted", requestId="x", recordId="r-1"),
        {"timestamp": 5, "message": "START RequestId: v1"},
        {"timestamp": 6, "message": json.dumps({"errorType": "InvalidRecord", "requestId": "e1"})},
    )
    lines = find_lines(client, stack("validator"), "r-1", [waits], since=0)
    told = [("batch accepted", "2 records, 0 of them refused"), ("record accepted", "")]
    assert [(one.message, one.detail) for one in lines] == told
    assert client.patterns == ['{ ($.recordId = "r-1") || ($.requestId = "e1") || ($.requestId = "v1") }']


def test_a_request_id_that_lambda_did_not_write_is_not_looked_for() -> None:
    client = Logs()
    planted = [found(letter(record(1), request_id=one)) for one in ('x" || "', "x" * 2000, "", "v-1")]
    find_lines(client, stack("validator"), "r-1", planted, since=0)
    assert client.patterns == ['{ ($.recordId = "r-1") || ($.requestId = "v-1") }']


@pytest.mark.parametrize(
    ("record_id", "pattern"), [('a "b"', '"a *"'), ("ü", "*"), ("x" * 300, f'"{"x" * 200}*"'), ("a*b", '"a*"')]
)
def test_an_odd_id_is_looked_for_by_its_plain_beginning(record_id: str, pattern: str) -> None:
    client = Logs(event(1, message="record accepted", recordId=record_id), event(2, message="x", recordId="a b"))
    assert len(find_lines(client, stack("validator"), record_id, [], since=0)) == 1
    assert client.patterns == [f"{{ ($.recordId = {pattern}) }}"]


def test_a_log_without_further_pages_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.questions.logs.MOST", 3)
    client = Logs(*(event(n // 2, recordId="r-1", message=str(n)) | {"eventId": str(n)} for n in range(9)), most=3)
    lines = find_lines(client, stack("validator"), "r-1", [], since=0)
    assert [one.message for one in lines] == [str(n) for n in range(9)]


class Files:
    def __init__(self, **files: str) -> None:
        self.files = files

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's
        date = datetime.fromtimestamp(NINE / 1000, UTC)
        return [{"Contents": [{"Key": key, "LastModified": date} for key in self.files if key.startswith(Prefix)]}]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        return {"Body": _Body(self.files[Key])}


class _Body(str):
    def iter_lines(self) -> list[bytes]:
        return self.encode().splitlines()


def test_the_files_that_rejected_or_missed_it_are_found_also_by_a_line_that_was_cut_off() -> None:
    cut = json.dumps({"id": "ü-1", "data": "x" * 2000})[:1000]
    rejected = [
        {"line": 3, "reason": "it is not JSON", "content": cut},
        {"line": 4, "reason": "missing data field", "content": json.dumps({"id": "r-1"})},
        {"line": 5, "reason": "missing data field", "content": json.dumps({"id": "r-2", "data": {"id": "r-1"}})},
    ]
    beside = {"rejected": "\n".join(map(json.dumps, rejected)), "missing": json.dumps(record(1))}
    written = {f"{prefix}/orders.jsonl.jsonl": text for prefix, text in beside.items()}
    files = Files(**written, **{"orders.jsonl": json.dumps({"id": "r-1"})})

    def found_of(record_id: str, since: int = 0) -> list[str]:
        return [one.what for one in find_in_files(files, "files", record_id, since=since)]

    assert found_of("r-1") == ["refused in line 4", "missing from the table, a line"]
    assert found_of("ü-1") == ["refused in line 3"]
    assert found_of("r-1", since=NINE + 1) == []
