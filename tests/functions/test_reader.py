"""The reader gives every line of a file to the validator or says why not, whatever happens to it on the way."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import reader
from core import uploaded
from reader import UnreadableFile

from .conftest import Context, FakeDynamoDB
from .fake_s3 import BUCKET, DROPPED, FakeLambda, FakeS3

ENTRY, OWN = "arn:validator:live", "arn:reader:live"
DATE = int(DROPPED.timestamp() * 1000)


class Invocation:
    """What Lambda tells the reader; its time is up after so many looks at it."""

    invoked_function_arn = OWN

    def __init__(self, looks: int = 10**9) -> None:
        self._looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self._looks -= 1
        return 800_000 if self._looks > 0 else 59_000


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTRY_FUNCTION_ARN", ENTRY)
    monkeypatch.setenv("RECORDS_A_SECOND", "1000000")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    monkeypatch.setattr(uploaded, "s3", lambda: fake)
    monkeypatch.setattr(reader, "s3", lambda: fake)
    return fake


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeLambda:
    fake = FakeLambda()
    monkeypatch.setattr(reader, "functions", lambda: fake)
    return fake


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"order-{number}", "timestamp": number + 1, "data": {"total": number}, **fields}


def text(*lines: object) -> bytes:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def sent(functions: FakeLambda) -> list[Any]:
    return [one for batch in functions.to(ENTRY) for one in batch]


def read(event: dict[str, Any], functions: FakeLambda, looks: int = 10**9) -> int:
    """Let the reader read a file to its end, in as many invocations as it takes; return how many."""
    waiting, count = [event], 0
    while waiting:
        known = len(functions.to(OWN))
        reader.handler(waiting.pop(), Invocation(looks))
        waiting += functions.to(OWN)[known:]
        count += 1
        assert count < 1000
    return count


@pytest.mark.parametrize(("key", "packed"), [("in/orders.jsonl", bytes), ("orders.jsonl.gz", gzip.compress)])
def test_every_record_is_given_to_the_validator_in_order(
    s3: FakeS3, functions: FakeLambda, key: str, packed: Callable[[bytes], bytes]
) -> None:
    records = [record(number) for number in range(3000)]
    read(s3.drop(key, packed(text(*records))), functions)
    assert sent(functions) == records
    report = s3.json(f"reports/{key}.json")
    assert report.pop("seconds") >= 0
    assert report == {"lines": 3000, "accepted": 3000, "rejected": 0, "batches": len(functions.events)}
    assert f"rejected/{key}.jsonl" not in s3.versions


def test_no_batch_takes_more_than_one_request_at_the_last_stage(s3: FakeS3, functions: FakeLambda) -> None:
    records = [record(number, data="x" * (number % 700)) for number in range(3000)]
    read(s3.drop("a.jsonl", text(*records)), functions)
    sizes = [len(json.dumps(batch, separators=(",", ":"))) * 3 + 160 * len(batch) for batch in functions.to(ENTRY)]
    assert max(sizes) <= 256 * 1024
    assert min(sizes[:-1]) > 200 * 1024


def test_no_batch_has_more_records_than_the_stages_take(
    s3: FakeS3, functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BATCH", 10**6)
    read(s3.drop("a.jsonl", text(*(record(number) for number in range(1001)))), functions)
    assert [len(batch) for batch in functions.to(ENTRY)] == [1000, 1]


def test_a_large_record_is_sent_alone(s3: FakeS3, functions: FakeLambda) -> None:
    records = [record(1), record(2, data="x" * 500_000), record(3)]
    read(s3.drop("a.jsonl", text(*records)), functions)
    assert functions.to(ENTRY) == [[one] for one in records]


FAULTS = {
    "{broken": "it is not JSON (Expecting property name enclosed in double quotes at column 2)",
    '{"id": "a", "data": 12345678901234567890.123456789}': "it has a number that a double does not hold exactly "
    "(12345678901234567890.123456789): send it as a string",
    "[1, 2]": "it is no JSON object",
    '"text"': "it is no JSON object",
    '{"id": "a", "data": NaN}': "it is not JSON (JSON has no NaN)",
    '{"data": ' + "[" * 600 + "]" * 600 + "}": "it is nested more than 401 levels deep",
    "[" * 100_000: "it is nested too deep",
    json.dumps({"data": "x" * 1_000_000}): "it has more than 1000000 bytes",
}


def test_each_line_that_is_no_record_has_its_number_and_reason(s3: FakeS3, functions: FakeLambda) -> None:
    good = record(1)
    read(s3.drop("a.jsonl", text(good, *FAULTS, "", good)), functions)
    assert sent(functions) == [good, good]
    documents = s3.documents("rejected/a.jsonl.jsonl")
    assert documents == [
        {"line": number, "reason": reason, "content": line[:1000]}
        for number, (line, reason) in enumerate(FAULTS.items(), 2)
    ]
    report = s3.json("reports/a.jsonl.json")
    assert (report["lines"], report["accepted"], report["rejected"]) == (len(FAULTS) + 2, 2, len(FAULTS))


def test_a_file_in_another_encoding_is_rejected_line_by_line(s3: FakeS3, functions: FakeLambda) -> None:
    latin = text('{"id": "a", "data": "\xe9"}').decode().encode("latin-1")
    read(s3.drop("a.jsonl", latin + text(record(1))), functions)
    (rejected,) = s3.documents("rejected/a.jsonl.jsonl")
    assert (rejected["line"], rejected["reason"]) == (1, "it is not UTF-8")
    assert "\ufffd" in rejected["content"]
    assert sent(functions) == [record(1)]


def test_the_line_in_which_a_compressed_file_ends_early_is_rejected(s3: FakeS3, functions: FakeLambda) -> None:
    noise = random.Random(1)
    packed = gzip.compress(text(*(record(n, data=str(noise.random())) for n in range(2000))))
    read(s3.drop("a.jsonl.gz", packed[: len(packed) // 2]), functions)
    (rejected,) = s3.documents("rejected/a.jsonl.gz.jsonl")
    assert rejected["reason"] == "the gzip file ends here, before its end"
    assert rejected["line"] == len(sent(functions)) + 1 > 100


def test_an_empty_file_has_a_report(s3: FakeS3, functions: FakeLambda) -> None:
    read(s3.drop("a.jsonl", b""), functions)
    assert s3.json("reports/a.jsonl.json")["lines"] == 0


def test_rejected_lines_of_an_earlier_file_are_taken_away_with_it(s3: FakeS3, functions: FakeLambda) -> None:
    read(s3.drop("a.jsonl", text("{broken")), functions)
    read(s3.drop("a.jsonl", text(record(1))), functions)
    assert s3.documents("rejected/a.jsonl.jsonl") == []


@pytest.mark.parametrize("key", ["reports/a.jsonl", "rejected/a.jsonl", "orders.csv", "orders.json"])
def test_what_is_no_file_of_records_is_left_alone(s3: FakeS3, functions: FakeLambda, key: str) -> None:
    read(s3.drop(key, text(record(1))), functions)
    assert functions.events == []
    assert list(s3.versions) == [key]


@pytest.mark.parametrize("code", ["403", "404"])
def test_a_file_that_cannot_be_read_fails_by_its_name(s3: FakeS3, functions: FakeLambda, code: str) -> None:
    event = s3.drop("in/a.jsonl", b"")
    s3.denied = code
    with pytest.raises(UnreadableFile, match=rf"^in/a\.jsonl in {BUCKET} can't be read: S3 answers {code}$"):
        read(event, functions)


def test_what_is_no_gzip_file_fails_by_its_name(s3: FakeS3, functions: FakeLambda) -> None:
    with pytest.raises(UnreadableFile, match=r"^a\.jsonl\.gz in files can't be read: the gzip file is damaged here"):
        read(s3.drop("a.jsonl.gz", text(record(1))), functions)


def test_the_version_of_the_event_is_read_and_no_later_one(s3: FakeS3, functions: FakeLambda) -> None:
    first = s3.drop("a.jsonl", text(record(1)))
    s3.drop("a.jsonl", text(record(2)))
    read(first, functions)
    assert sent(functions) == [record(1)]


def test_without_versions_a_file_that_was_replaced_meanwhile_fails(s3: FakeS3, functions: FakeLambda) -> None:
    first = s3.drop("a.jsonl", text(record(1)))
    del first["detail"]["object"]["version-id"]
    s3.drop("a.jsonl", text(record(2)))
    with pytest.raises(UnreadableFile, match="it has changed since"):
        read(first, functions)


def test_an_answer_that_breaks_off_is_asked_for_again(s3: FakeS3, functions: FakeLambda) -> None:
    event = s3.drop("a.jsonl", text(record(1)))
    s3.breaks = 2
    read(event, functions)
    assert sent(functions) == [record(1)]


def test_a_large_file_is_read_in_pieces(s3: FakeS3, functions: FakeLambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "RANGE", 1000)
    records = [record(number) for number in range(500)]
    read(s3.drop("a.jsonl", text(*records)), functions)
    assert sent(functions) == records
    assert max(size for _, size in s3.reads) == 1000


def undated(count: int) -> list[dict[str, Any]]:
    return [{"id": "one", "data": number} for number in range(count)]


def test_a_record_without_a_timestamp_gets_one_from_the_date_and_its_line(s3: FakeS3, functions: FakeLambda) -> None:
    read(s3.drop("a.jsonl", text("{}", "", *undated(2), record(7))), functions)
    stamps = [one["timestamp"] for one in sent(functions)]
    assert stamps == [DATE + 1, DATE + 3, DATE + 4, 8]


def test_the_same_content_again_has_the_same_timestamps(s3: FakeS3, functions: FakeLambda) -> None:
    content = text(*undated(3))
    first, second = s3.drop("a.jsonl", content), s3.drop("a.jsonl", content)
    read(second, functions)  # of two that are read at the same time, any may be first
    read(first, functions)
    read(s3.drop("a.jsonl", content), functions)
    batches = functions.to(ENTRY)
    assert len(batches) == 3
    assert batches[0] == batches[1] == batches[2]


def test_other_content_of_the_same_name_has_its_own_timestamps(s3: FakeS3, functions: FakeLambda) -> None:
    for count in (1, 2):
        read(s3.drop("a.jsonl", text(*undated(count))), functions)
    stamps = [batch[0]["timestamp"] for batch in functions.to(ENTRY)]
    assert stamps[0] != stamps[1]


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("looks", [3, 4, 9])
def test_where_the_time_ends_another_invocation_goes_on(
    s3: FakeS3, functions: FakeLambda, looks: int, packed: Callable[[bytes], bytes]
) -> None:
    lines = [line for number in range(4000) for line in (record(number), "{broken")]
    key = "a.jsonl" if packed is bytes else "a.jsonl.gz"
    assert read(s3.drop(key, packed(text(*lines, *undated(10)))), functions, looks) > 2
    records = sent(functions)
    assert records[:4000] == lines[::2]
    assert [one["timestamp"] for one in records[4000:]] == [DATE + 8001 + number for number in range(10)]
    assert [one["line"] for one in s3.documents(f"rejected/{key}.jsonl")] == list(range(2, 8001, 2))
    report = s3.json(f"reports/{key}.json")
    assert (report["lines"], report["accepted"], report["rejected"]) == (8010, 4010, 4000)
    assert report["batches"] == len(functions.to(ENTRY))


def test_lines_that_are_all_rejected_end_with_the_time_too(s3: FakeS3, functions: FakeLambda) -> None:
    assert read(s3.drop("a.jsonl", b"{broken\n" * 5000), functions, 4) > 2
    assert len(s3.documents("rejected/a.jsonl.jsonl")) == 5000


def test_a_compressed_file_that_takes_all_the_time_to_get_on_is_refused(s3: FakeS3, functions: FakeLambda) -> None:
    with pytest.raises(UnreadableFile, match="takes too long to get to line 1: split it"):
        read(s3.drop("a.jsonl.gz", gzip.compress(text(record(1)))), functions, 2)


def test_more_rejected_lines_than_fit_into_memory_are_uploaded_in_parts(
    s3: FakeS3, functions: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.uploaded.PART", 5 * 1024 * 1024)
    monkeypatch.setattr("core.uploaded.COPIED", 11 * 1024 * 1024)
    lines = b"{%s\n" % (b"x" * 1500) * 12_000
    assert read(s3.drop("a.jsonl", lines), functions, 10) > 2
    documents = s3.documents("rejected/a.jsonl.jsonl")
    assert [one["line"] for one in documents] == list(range(1, 12_001))
    assert not s3.uploads


def test_the_pace_counts_each_kilobyte(s3: FakeS3, functions: FakeLambda, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setenv("RECORDS_A_SECOND", "100")
    read(s3.drop("a.jsonl", text(*(record(number, data="x" * 1500) for number in range(500)))), functions)
    assert now[0] == pytest.approx(500 * 2 / 100, rel=0.15)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_reader_that_fails_at_any_moment_loses_nothing_and_stores_nothing_twice(
    s3: FakeS3, functions: FakeLambda, dynamodb: FakeDynamoDB, processor: ModuleType, seed: int
) -> None:
    import validator
    from tests.own import enricher

    chance = random.Random(seed)
    lines = [line for n in range(2500) for line in (record(n) if n % 3 else {"id": f"order-{n}", "data": n},)]
    waiting = [s3.drop("a.jsonl", text(*lines, "{broken"))]
    failures = 0
    while waiting:
        event, known = waiting.pop(), len(functions.to(OWN))
        functions.fails_at = len(functions.events) + chance.randrange(6) if failures < 12 else None
        functions.taken = chance.random() < 0.5
        try:
            reader.handler(event, Invocation(chance.randrange(3, 9)))
        except Exception:  # noqa: BLE001 - whatever it is, Lambda invokes again
            failures += 1
            waiting.append(event)
        waiting += functions.to(OWN)[known:]
    assert failures >= 3
    context = Context()
    for batch in functions.to(ENTRY):
        accepted = validator.handler(batch, context)
        enriched = enricher.handler({"requestContext": {}, "responsePayload": accepted}, context)
        processor.handler({"requestContext": {}, "responsePayload": enriched}, context)
    assert len(dynamodb.items) == 2500
    assert len({key for key, _ in dynamodb.items}) == 2500
    assert s3.json("reports/a.jsonl.json")["lines"] == 2501
    assert dynamodb.queue.messages == []
