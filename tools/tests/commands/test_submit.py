"""The command `submit`, as a user runs it, against the fake AWS."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.stack import invoke

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws, alias
from ..stack.samples import record

Run = Callable[..., Ran]
Write = Callable[..., Path]

TOO_MANY = Failure(429, "TooManyRequestsException")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(invoke, "LONGEST_DELAY", 0.01)


def refuse(*ids: str) -> Callable[[bytes], Failure | None]:
    def judge(payload: bytes) -> Failure | None:
        refused = any(f'"{one}"' in payload.decode() for one in ids)
        return Failure(413, "RequestTooLargeException") if refused else None

    return judge


def test_each_line_reaches_the_validators_alias_as_it_stands(aws: FakeAws, operate: Run, records: Write) -> None:
    lines = ['{"id": "a",  "data": 1.10}', '"order"', json.dumps(record(3))]
    path = records(*lines)
    ran = operate("submit", path, "--batch", 1)
    assert [path] == list(path.parent.iterdir())
    assert (ran.code, ran.counts) == (0, {"accepted": 3, "accepted before": 0, "rejected": 0})
    assert sorted(invocation.payload.decode() for invocation in aws.invocations) == sorted(lines)
    assert {invocation.function for invocation in aws.invocations} == {alias("validator")}


def test_what_is_not_accepted_goes_to_a_file_that_submit_takes_again(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    path = records(record(1), record(2), "{broken", record(3))
    aws.judge = refuse("r-2")
    ran = operate("submit", path, "--batch", 1)
    rejected = Path(f"{path}.rejected")
    assert (ran.code, ran.counts["accepted"], ran.counts["rejected"]) == (1, 2, 2)
    assert rejected.read_text() == json.dumps(record(2)) + "\n{broken\n"
    assert "Line 2 was not accepted: RequestTooLargeException" in ran.err
    assert "Line 3 was not accepted: it is not JSON" in ran.err
    assert not Path(f"{path}.journal").exists()

    aws.judge = refuse()
    again = operate("submit", rejected, "--batch", 1)
    assert (again.counts["accepted"], again.counts["rejected"]) == (1, 1)
    assert sorted(event["id"] for event in aws.payloads) == ["r-1", "r-2", "r-3"]


def test_rejected_lines_of_before_are_never_overwritten(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(record(1))
    Path(f"{path}.rejected").write_text("precious\n")
    ran = operate("submit", path)
    assert ran.code == 2
    assert "--rejected" in ran.error
    assert not aws.invocations
    assert Path(f"{path}.rejected").read_text() == "precious\n"


def test_throttling_is_waited_out(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.failures["Invoke"] = [TOO_MANY, Failure(503, "ServiceException"), Failure(0), TOO_MANY]
    ran = operate("submit", records(*map(record, range(4))), "--parallel", 2, "--batch", 1)
    assert (ran.code, ran.counts["accepted"], ran.counts["rejected"]) == (0, 4, 0)


def test_throttling_without_end_is_told_and_resumed_later(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(*map(record, range(8)))
    aws.failures["Invoke"] = [None] * 3
    aws.always["Invoke"] = TOO_MANY
    ran = operate("submit", path, "--patience", 0.05, "--parallel", 1, "--batch", 1)
    assert ran.code == 3
    assert "3 records were accepted in this run; run the same command again" in ran.error
    aws.always.clear()
    again = operate("submit", path, "--batch", 1)
    assert (again.code, again.counts) == (0, {"accepted": 5, "accepted before": 3, "rejected": 0})
    assert sorted(event["id"] for event in aws.payloads) == [f"r-{n}" for n in range(8)]


def test_stamps_are_the_same_when_it_is_resumed(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(*({"id": f"r-{n}", "data": n} for n in range(6)))
    sent: list[bytes] = []

    def note(payload: bytes) -> None:
        sent.append(payload)

    aws.judge = note
    aws.failures["Invoke"] = [None, None]
    aws.always["Invoke"] = Failure(403, "AccessDeniedException")
    assert operate("submit", path, "--timestamp", "now", "--parallel", 1, "--batch", 1).code == 3
    journal = Path(f"{path}.journal")
    header = journal.read_text().splitlines()[0]
    journal.write_text(header + "\n")  # as if it had been killed before it noted what was accepted
    aws.always.clear()
    assert operate("submit", path, "--timestamp", "now", "--batch", 1).code == 0
    assert len(sent) == 8
    assert len(set(sent)) == 6
    stamps = {json.loads(payload)["timestamp"] for payload in sent}
    assert len(stamps) == 6


def test_with_keep_a_record_gets_no_stamp(aws: FakeAws, operate: Run, records: Write) -> None:
    operate("submit", records({"id": "a", "data": 1}), "--batch", 1)
    assert aws.payloads == [{"id": "a", "data": 1}]


def test_rejected_lines_keep_the_stamp_that_they_were_sent_with(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records({"id": "r-1", "data": 1})
    aws.judge = refuse("r-1")
    operate("submit", path, "--timestamp", "now")
    assert json.loads(Path(f"{path}.rejected").read_text())["timestamp"] > 0


def test_another_option_can_not_be_mixed_into_a_submission_that_began(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    path = records(record(1), record(2))
    aws.failures["Invoke"] = [None, Failure(403, "AccessDeniedException")]
    operate("submit", path, "--parallel", 1, "--batch", 1)
    ran = operate("submit", path, "--timestamp", "now")
    assert ran.code == 2
    assert "finish that one" in ran.error


def standard_input(monkeypatch: pytest.MonkeyPatch, *lines: object) -> None:
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_standard_input_is_taken_too(aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, record(1), record(2))
    ran = operate("submit", "-")
    assert (ran.code, ran.counts["accepted"]) == (0, 2)


@pytest.mark.parametrize("batch", [1, 7])
def test_what_standard_input_had_and_could_not_be_sent_is_kept(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    standard_input(monkeypatch, *map(record, range(100)))
    aws.failures["Invoke"] = [None] * 2
    aws.always["Invoke"] = Failure(403, "AccessDeniedException")
    ran = operate("submit", "-", "--parallel", 2, "--batch", batch)
    assert ran.code == 3
    assert "stdin.rejected" in ran.error
    kept = [json.loads(line)["id"] for line in Path("stdin.rejected").read_text().splitlines()]
    accepted = [event["id"] for event in aws.payloads] if batch == 1 else [one for some in events(aws) for one in some]
    assert sorted(kept + accepted) == sorted(f"r-{n}" for n in range(100))


def test_standard_input_can_not_have_a_journal(aws: FakeAws, operate: Run) -> None:
    ran = operate("submit", "-", "--journal", "x")
    assert ran.code == 2
    assert "can't be resumed" in ran.error


def test_a_missing_input_is_told(aws: FakeAws, operate: Run) -> None:
    ran = operate("submit", "nothing.jsonl")
    assert ran.code == 2
    assert "nothing.jsonl" in ran.err
    assert "Traceback" not in ran.err


def test_many_rejected_lines_are_counted_and_only_the_first_named(aws: FakeAws, operate: Run, records: Write) -> None:
    ran = operate("submit", records(*["{broken"] * 50))
    assert ran.err.count("was not accepted: ") == 20
    assert "... and 30 more" in ran.err


def events(aws: FakeAws) -> list[list[str]]:
    """The ids of each event's records, in the order of the input."""
    return sorted([one["id"] for one in event] for event in aws.payloads)


def test_records_are_packed_into_events_of_the_size_of_one_request(aws: FakeAws, operate: Run, records: Write) -> None:
    ran = operate("submit", records(*(record(n, more="x" * 900) for n in range(200))))
    assert (ran.code, ran.counts["accepted"]) == (0, 200)
    assert sorted(one for event in events(aws) for one in event) == sorted(f"r-{n}" for n in range(200))
    assert [60_000 < len(one.payload) <= 70_000 for one in aws.invocations].count(False) <= 1
    assert 3 <= len(aws.invocations) <= 4


def test_an_event_holds_no_more_than_a_seconds_records(aws: FakeAws, operate: Run, records: Write) -> None:
    operate("submit", records(*map(record, range(41))), "--rate", 40)
    assert [len(event) for event in events(aws)] == [40, 1]


def test_the_pace_is_said_and_can_be_set(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(record(1))
    assert "3000 writes a second" in operate("submit", path).err
    assert operate("submit", path, "--rate", 100).err == ""


def test_all_lines_of_an_event_that_lambda_refuses_are_named_and_kept(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    path = records(record(1), "", record(3), "{broken", *map(record, range(5, 10)))
    aws.judge = refuse("r-3")
    ran = operate("submit", path, "--batch", 4)
    assert (ran.code, ran.counts["accepted"], ran.counts["rejected"]) == (1, 3, 5)
    assert "Lines 1, 3, 5 to 6 were not accepted: RequestTooLargeException" in ran.err
    assert "Line 4 was not accepted: it is not JSON" in ran.err
    kept = Path(f"{path}.rejected").read_text().splitlines()
    assert kept == ["{broken", *(json.dumps(record(n)) for n in (1, 3, 5, 6))]


def test_a_submission_in_batches_resumes_by_line(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(*map(record, range(8)))
    aws.failures["Invoke"] = [None] * 2
    aws.always["Invoke"] = Failure(403, "AccessDeniedException")
    assert operate("submit", path, "--parallel", 1, "--batch", 3).code == 3
    aws.always.clear()
    again = operate("submit", path, "--batch", 5)
    assert (again.code, again.counts) == (0, {"accepted": 2, "accepted before": 6, "rejected": 0})
    assert events(aws) == [["r-0", "r-1", "r-2"], ["r-3", "r-4", "r-5"], ["r-6", "r-7"]]


def test_a_line_that_is_too_long_is_refused_and_kept(aws: FakeAws, operate: Run, records: Write) -> None:
    long = json.dumps(record(1, more="x" * 3_000_000))
    path = records(long, record(2))
    ran = operate("submit", path)
    assert (ran.code, ran.counts["accepted"], ran.counts["rejected"]) == (1, 1, 1)
    assert "Line 1 was not accepted: it has more than 1047376 bytes" in ran.err
    assert Path(f"{path}.rejected").read_text() == long + "\n"


def test_what_was_rejected_is_for_the_callers_eyes_alone(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records("{broken")
    operate("submit", path)
    assert Path(f"{path}.rejected").stat().st_mode & 0o777 == 0o600


def test_no_file_is_written_through_a_link(aws: FakeAws, operate: Run, records: Write, tmp_path: Path) -> None:
    path, precious = records("{broken"), tmp_path / "precious"
    precious.write_text("precious")
    for name in (f"{path}.rejected.part", f"{path}.rejected", f"{path}.journal"):
        Path(name).symlink_to(precious)
        ran = operate("submit", path)
        assert ran.code == (1 if name.endswith(".part") else 2)
        Path(name).unlink(missing_ok=True)
        Path(f"{path}.rejected").unlink(missing_ok=True)
    assert precious.read_text() == "precious"
