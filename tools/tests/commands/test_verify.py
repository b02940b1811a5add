"""The command `verify`, as a user runs it, against the fake AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.records import table
from pipeline.records.judgement import Outcome

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws
from ..stack.samples import STAGES, envelope, record

Run = Callable[..., Ran]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "FIRST_DELAY", 0.001)


def store(aws: FakeAws, *records: dict[str, Any]) -> None:
    """Store records as the processor does."""
    for one in records:
        data = json.dumps(one["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        aws.table[one["id"], one["timestamp"]] = data


def of_stage(of: str, result: object, submitted: object) -> object:
    """The event that a stage was given, for one record or for a batch."""
    if of == "validator":
        return result
    first = envelope(submitted, result)
    return first if of == "enricher" else envelope(first, result, stage="enricher")


def counts(ran: Ran) -> list[int]:
    """Stored, dead letters, refused, different, missing, unknown."""
    return [ran.counts[outcome.value] for outcome in Outcome]


def test_every_line_is_named_by_what_became_of_it(aws: FakeAws, operate: Run, records: Write, tmp_path: Path) -> None:
    all_of_them = [record(n) for n in range(2000)]
    deleted, changed, waiting, unsent = range(20), range(20, 30), range(30, 45), range(45, 50)
    store(aws, *(one for n, one in enumerate(all_of_them) if n >= 50 or n in changed))
    for number in changed:
        aws.table[f"r-{number}", all_of_them[number]["timestamp"]] = '{"n":-1}'
    for number in waiting:
        stage = STAGES[number % 3]
        aws.put(of_stage(stage, all_of_them[number], all_of_them[:100]), of=stage)
    ran = operate("verify", records(*all_of_them), "--missing", tmp_path / "missing.jsonl", "--rate", 100_000)
    assert (ran.code, counts(ran)) == (1, [1950, 15, 0, 10, 25, 0])
    assert "Line 21 (record r-20): different." in ran.err
    assert "Line 31 (record r-30): dead letter: validator: it failed." in ran.err
    assert "Line 1 (record r-0): missing." in ran.err
    assert "10\tdifferent\tanother record has its key\n" in ran.out
    assert "5\tdead letter\tenricher: it failed\n" in ran.out
    missing = [json.loads(line)["id"] for line in (tmp_path / "missing.jsonl").read_text().splitlines()]
    assert missing == [f"r-{number}" for number in (*deleted, *unsent)]
    assert aws.visible == 15
    assert not any(aws.calls[name] for name in ("Invoke", "DeleteMessageBatch"))


def test_what_is_all_stored_is_all_right(aws: FakeAws, operate: Run, records: Write, tmp_path: Path) -> None:
    odd = {"id": "ä", "timestamp": 7, "data": {"b": [1.10, -0.0, 10**25, "\u2028é\ud800"], "a": None}}
    store(aws, record(1), odd)
    ran = operate("verify", records(record(1), odd, record(1)), "--missing", tmp_path / "missing")
    assert (ran.code, counts(ran), ran.err) == (0, [3, 0, 0, 0, 0, 0], "")
    assert not (tmp_path / "missing").exists()


def test_a_refused_line_waits_whatever_it_is(aws: FakeAws, operate: Run, records: Write) -> None:
    refused = [{"id": "r-1", "timestamp": 1}, {"id": "", "timestamp": 1, "data": 1}, "text", 7, None, [1], []]
    for one in refused:
        aws.put(json.dumps(one))
    ran = operate("verify", records(*map(json.dumps, refused), json.dumps({"id": "r-1", "timestamp": 2}), "{broken"))
    assert counts(ran) == [0, len(refused), 1, 0, 1, 0]
    assert f"{len(refused) + 2}\t\trefused\tit is not JSON" in ran.out


def test_what_can_not_be_sent_is_refused_with_the_reason(
    aws: FakeAws, operate: Run, records: Write, tmp_path: Path
) -> None:
    long = json.dumps(record(1, more="x" * 2_000_000))
    ran = operate("verify", records("{broken", long, '{"id":"a","timestamp":1,"data":1e400}'), "--missing", "missing")
    assert counts(ran) == [0, 0, 3, 0, 0, 0]
    assert not (tmp_path / "missing").exists()


UNSTAMPED = [{"id": "a", "data": 1}, {"id": "a", "data": 2}]


def test_a_record_without_a_timestamp_is_found_by_what_submit_gave_it(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    path = records(*UNSTAMPED)
    started = operate("submit", path, "--timestamp", "now").counts["timestamps from"]
    store(aws, *aws.payloads[0])
    assert counts(operate("verify", path, "--started", started)) == [2, 0, 0, 0, 0, 0]
    ran = operate("verify", path, "--started", started + 1)
    assert (ran.code, counts(ran)) == (1, [0, 0, 0, 1, 1, 0])


def test_while_a_submission_can_be_resumed_its_journal_tells(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(*UNSTAMPED)
    aws.failures["Invoke"] = [None, Failure(403, "AccessDeniedException")]
    operate("submit", path, "--timestamp", "now", "--batch", 1, "--parallel", 1)
    store(aws, *aws.payloads)
    ran = operate("verify", path, "--missing", "missing")
    assert counts(ran) == [1, 0, 0, 0, 1, 0]
    stamped = json.loads(Path("missing").read_text())
    assert stamped == {**UNSTAMPED[1], "timestamp": aws.payloads[0]["timestamp"] + 1}


def test_what_the_pipeline_stamped_is_found_by_its_id_and_data(aws: FakeAws, operate: Run, records: Write) -> None:
    stamped = {**UNSTAMPED[1], "timestamp": 5}
    aws.put(of_stage("enricher", stamped, UNSTAMPED[1]), of="enricher")
    path = records(*UNSTAMPED, {"id": "a", "data": 3}, {"id": "b", "data": 1})
    store(aws, {**UNSTAMPED[0], "timestamp": 4})
    ran = operate("verify", path, "--missing", "missing")
    assert (ran.code, counts(ran)) == (1, [1, 1, 0, 0, 1, 1])
    assert "3\ta\tunknown\tthe pipeline gave it a timestamp, and other data is stored under its id\n" in ran.out
    assert json.loads(Path("missing").read_text()) == {"id": "b", "data": 1}


def test_where_the_pipeline_changes_data_the_keys_can_be_compared_alone(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    store(aws, {**record(1), "data": "changed"})
    assert counts(operate("verify", records(record(1)))) == [0, 0, 0, 1, 0, 0]
    assert operate("verify", records(record(1)), "--keys-only").code == 0
    aws.put(of_stage("processor", {**record(2), "data": "changed"}, record(2)), of="processor")
    assert counts(operate("verify", records(record(2)), "--keys-only")) == [0, 1, 0, 0, 0, 0]


def test_what_dynamodb_leaves_out_is_asked_for_again(aws: FakeAws, operate: Run, records: Write) -> None:
    all_of_them = [record(n) for n in range(100)]
    store(aws, *all_of_them)
    aws.unprocessed = 60
    assert operate("verify", records(*all_of_them), "--rate", 100_000).code == 0
    assert aws.calls["BatchGetItem"] == 7


def test_what_dynamodb_leaves_out_for_ever_is_told(
    aws: FakeAws, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        aws, "_BatchGetItem", lambda request: {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
    )
    ran = operate("verify", records(record(1)), "--rate", 100_000)
    assert ran.code == 3
    assert "left out some items 10 times" in ran.error
    assert "0 records were looked for" in ran.error


def test_the_missing_lines_make_it_whole(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(*(record(n) for n in range(5)))
    store(aws, record(1), record(3))
    operate("verify", path, "--missing", "missing")
    assert operate("submit", "missing").code == 0
    store(aws, *aws.payloads[0])
    assert operate("verify", path).code == 0


def test_what_is_complete_at_the_last_answer_is_no_failure(
    aws: FakeAws, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(aws, record(1))
    left_out = iter(range(table.ATTEMPTS - 1))
    answer = aws._BatchGetItem

    def late(request: dict[str, Any]) -> dict[str, Any]:
        if next(left_out, None) is None:
            return answer(request)
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    monkeypatch.setattr(aws, "_BatchGetItem", late)
    assert operate("verify", records(record(1)), "--rate", 100_000).code == 0
