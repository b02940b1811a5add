"""Settling a submission and a redrive, against the fake AWS: what is lost is sent again, and 0 means all is stored."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.shared import settling
from pipeline.records.judgement import Outcome

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws, Invocation
from ..stack.samples import envelope, record

Run = Callable[..., Ran]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(settling, "LONGEST_PAUSE", 0.02)


def records_of(payload: bytes) -> list[dict[str, Any]]:
    document = json.loads(payload)
    found = document.get("responsePayload", document) if isinstance(document, dict) else document
    return found if isinstance(found, list) else [found]


def store(aws: FakeAws, one: dict[str, Any]) -> None:
    aws.table[one["id"], one["timestamp"]] = json.dumps(one["data"], sort_keys=True, separators=(",", ":"))


def working(aws: FakeAws, *, loses: set[str] = frozenset(), refuses: set[str] = frozenset()) -> list[list[str]]:  # type: ignore[assignment]
    """Let the pipeline store what it is given, but lose some records the first time; return the ids of each event."""
    events: list[list[str]] = []
    left = set(loses)

    def work(invocation: Invocation) -> None:
        some = records_of(invocation.payload)
        events.append([one["id"] for one in some])
        for one in some:
            if one["id"] in left:
                left.discard(one["id"])
            elif one["id"] in refuses:
                now = int(time.time() * 1000)
                aws.put(json.dumps(one), request_id=invocation.request_id, error="it is refused", sent=now)
            else:
                store(aws, one)

    aws.on_invoke = work
    return events


def counts(ran: Ran) -> dict[str, int]:
    return {outcome.value: ran.counts[outcome.value] for outcome in Outcome if ran.counts[outcome.value]}


def test_what_is_lost_is_sent_again_until_everything_is_stored(aws: FakeAws, operate: Run, records: Write) -> None:
    events = working(aws, loses={"r-3", "r-7", "r-9"})
    path = records(*map(record, range(10)))
    ran = operate("submit", path, "--settle", "--quiet", 0.05, "--batch", 5)
    assert (ran.code, counts(ran), ran.counts["accepted"]) == (0, {"stored": 10}, 10)
    assert events[2:] == [["r-3", "r-7", "r-9"]]
    assert "Sent again: 3 records." in ran.err
    assert [path] == list(path.parent.iterdir())


def test_a_dead_letter_is_not_sent_again_and_a_line_that_is_lost_again_and_again_is_missing(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    aws.judge = lambda _: None
    events = working(aws, refuses={"r-1"})
    path = records(record(0), record(1), "{broken", {"id": "r-2", "timestamp": 1, "data": 1e3})
    ran = operate("submit", path, "--settle", "--quiet", 0.05)
    assert (ran.code, counts(ran)) == (1, {"stored": 2, "dead letter": 1, "refused": 1})
    assert "2\tr-1\tdead letter\tvalidator: it is refused\n" in ran.out
    assert len(events) == 1

    aws.reset()
    ran = operate("submit", records(record(0), name="lost.jsonl"), "--settle", "--quiet", 0.02)
    assert (ran.code, counts(ran)) == (1, {"missing": 1})
    assert len(aws.invocations) == 1 + settling.FRUITLESS


def test_lines_are_sent_again_as_long_as_that_settles_some(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.on_invoke = lambda invocation: store(aws, records_of(invocation.payload)[0])  # the others are lost
    ran = operate("submit", records(*map(record, range(7))), "--settle", "--quiet", 0.02)
    assert (ran.code, counts(ran), len(aws.invocations)) == (0, {"stored": 7}, 7)


def test_what_takes_its_time_is_waited_for_and_not_sent_again(
    aws: FakeAws, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(6))
    answer = aws._BatchGetItem

    def late(request: dict[str, Any]) -> dict[str, Any]:
        if next(looks, None) is None:
            store(aws, record(0))
        return answer(request)

    monkeypatch.setattr(aws, "_BatchGetItem", late)
    ran = operate("submit", records(record(0)), "--settle", "--quiet", 10)
    assert (ran.code, len(aws.invocations)) == (0, 1)


def test_a_dead_letter_of_an_earlier_submission_says_nothing_of_this_one(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    working(aws, loses={"r-0"})
    for number in range(2):
        aws.put(record(number), sent=int(time.time() * 1000) - 10_000)
    ran = operate("submit", records(record(0), record(1)), "--settle", "--quiet", 0.02)
    assert (ran.code, counts(ran), len(aws.invocations)) == (0, {"stored": 2}, 2)


def test_records_without_a_timestamp_are_stamped_so_that_sending_them_again_is_harmless(
    aws: FakeAws, operate: Run, records: Write
) -> None:
    working(aws, loses={"a"})
    ran = operate("submit", records({"id": "a", "data": 1}, {"id": "b", "data": 1}), "--settle", "--quiet", 0.05)
    assert (ran.code, counts(ran), len(aws.table)) == (0, {"stored": 2}, 2)
    assert aws.payloads[1] == [aws.payloads[0][0]]
    ran = operate("submit", records({"id": "a", "data": 1}), "--settle", "--timestamp", "keep")
    assert (ran.code, "leave out --timestamp keep" in ran.error) == (2, True)


def test_a_batch_whose_records_have_no_timestamp_is_not_sent_again(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records([{"id": "a", "data": 1}], record(1))
    ran = operate("submit", path, "--settle", "--quiet", 0.02)
    assert (ran.code, counts(ran)) == (1, {"missing": 2})
    assert [len(records_of(one.payload)) for one in aws.invocations] == [1] * (2 + settling.FRUITLESS)
    assert sum(b'"a"' in one.payload for one in aws.invocations) == 1


def test_for_a_pipeline_that_changes_data_the_keys_are_enough(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.on_invoke = lambda invocation: store(aws, {**records_of(invocation.payload)[0], "data": "changed"})
    path = records(record(0))
    assert operate("submit", path, "--settle", "--quiet", 0.02).code == 1
    assert operate("submit", path, "--settle", "--quiet", 0.02, "--keys-only").code == 0


def test_a_settling_that_is_stopped_is_gone_on_with(aws: FakeAws, operate: Run, records: Write) -> None:
    path = records(record(0))
    aws.failures["BatchGetItem"] = [Failure(403, "AccessDeniedException")]
    ran = operate("submit", path, "--settle", "--quiet", 0.02)
    assert ran.code == 3
    assert "run the same command again to settle them" in ran.error
    store(aws, record(0))
    again = operate("submit", path, "--settle", "--quiet", 0.02)
    assert (again.code, again.counts["accepted before"], len(aws.invocations)) == (0, 1, 1)


def test_of_a_settling_of_standard_input_that_is_stopped_nothing_can_be_gone_on_with(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(record(0)).encode())))
    aws.failures["BatchGetItem"] = [Failure(403, "AccessDeniedException")]
    ran = operate("submit", "-", "--settle", "--quiet", 0.02)
    assert (ran.code, ran.error.endswith("The lines were sent.")) == (3, True), ran


def test_standard_input_can_be_settled_too(aws: FakeAws, operate: Run, tmp_path: Path) -> None:
    import os
    import threading

    working(aws, loses={"r-1"})
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "".join(json.dumps(record(number)) + "\n" for number in range(3))
    writer = threading.Thread(target=pipe.write_text, args=(content,))
    writer.start()
    ran = operate("submit", pipe, "--settle", "--quiet", 0.05)
    writer.join()
    assert (ran.code, counts(ran)) == (0, {"stored": 3})


# Redriving


def test_a_redrive_says_that_the_outcome_is_open_and_for_how_long(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    assert "Lambda may work on these events for up to 18 h" in operate("redrive", "--yes").err
    aws.put(envelope(record(1), record(1)), of="enricher")
    assert "Lambda may work on these events for up to 12 h" in operate("redrive", "--yes").err
    assert "Lambda may work on" not in operate("redrive", "--yes").err


def test_a_redrive_that_is_settled_ends_with_0_only_if_all_is_stored(aws: FakeAws, operate: Run) -> None:
    working(aws, refuses={"r-2"})
    for number in (1, 2):
        aws.put(record(number))
    aws.put(envelope([record(3), record(4)], [record(3), record(4)]), of="enricher")
    ran = operate("redrive", "--yes", "--settle", "--quiet", 0.5)
    assert (ran.code, ran.counts["sent again"]) == (1, 3)
    assert (ran.counts["stored"], ran.counts["dead letters again"], ran.counts["still open"]) == (3, 1, 0)
    assert "came back: it failed again after this run sent it" in ran.err
    assert "Lambda may work on" not in ran.err

    working(aws)
    ran = operate("redrive", "--yes", "--settle", "--quiet", 0.5)
    assert (ran.code, ran.counts["stored"], ran.counts["still open"]) == (0, 1, 0)


def test_what_is_neither_stored_nor_back_is_still_open(aws: FakeAws, operate: Run) -> None:
    store(aws, {**record(1), "data": "another record"})
    aws.put(record(1))
    aws.put([record(2), {"id": "no data"}])
    aws.on_invoke = lambda invocation: [store(aws, one) for one in records_of(invocation.payload) if one["id"] == "r-2"]  # type: ignore[func-returns-value]
    ran = operate("redrive", "--yes", "--settle", "--quiet", 0.05)
    assert (ran.code, ran.counts["stored"], ran.counts["still open"]) == (1, 1, 2)


def test_a_letter_of_a_later_stage_is_known_by_the_event_that_was_sent(aws: FakeAws, operate: Run) -> None:
    batch = [record(1), record(2)]
    aws.put(batch)

    def fail_later(invocation: Invocation) -> None:
        store(aws, record(1))
        now = int(time.time() * 1000)
        body = envelope(batch, record(2), request_id=invocation.request_id)
        aws.put(body, of="enricher", sent=now)

    aws.on_invoke = fail_later
    ran = operate("redrive", "--yes", "--settle", "--quiet", 0.5)
    assert (ran.code, ran.counts["stored"], ran.counts["dead letters again"]) == (1, 1, 1)
    assert ran.counts["still open"] == 0
