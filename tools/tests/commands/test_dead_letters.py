"""The command `dead-letters`, as a user runs it, against the fake AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws
from ..stack.samples import envelope, record

Run = Callable[..., Ran]

SENT = 1_767_225_600_000


@pytest.fixture
def letters(aws: FakeAws) -> FakeAws:
    """Letters of all kinds."""
    validated = envelope(record(2), {"valid": True, **record(2)})
    aws.put(record(1), error="Invalid data: missing data field", request_id="id-1", sent=SENT)
    aws.put(record(4), error="Invalid data: missing data field", sent=SENT + 3000)
    aws.put(
        validated,
        of="enricher",
        request_id="id-2",
        error="2026-01-01T00:00:00.123Z 6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11 Task timed out",
        sent=SENT + 1000,
    )
    aws.put("{broken", request_id="id-3", sent=SENT + 2000)
    return aws


def test_time_stage_record_and_error_are_shown_oldest_first(letters: FakeAws, operate: Run) -> None:
    ran = operate("dead-letters")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert ran.code == 0
    assert rows[:3] == [
        ["time", "stage", "record", "records", "request", "error"],
        ["2026-01-01T00:00:00Z", "validator", "r-1", "1", "id-1", "Invalid data: missing data field"],
        [
            "2026-01-01T00:00:01Z",
            "enricher",
            "r-2",
            "1",
            "id-2",
            "2026-01-01T00:00:00.123Z 6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11 Task timed out",
        ],
    ]
    assert rows[3] == ["2026-01-01T00:00:02Z", "unknown", "", "1", "id-3", "its body is not JSON"]


def test_they_are_summed_up_by_stage_and_reason(letters: FakeAws, operate: Run) -> None:
    rows = [line.split("\t") for line in operate("dead-letters", "--summary").out.splitlines()]
    assert rows == [
        ["stage", "letters", "reason"],
        ["validator", "2", "Invalid data: missing data field"],
        ["enricher", "1", "... ... Task timed out"],
        ["unknown", "1", "its body is not JSON"],
    ]


def test_everything_is_in_the_json(letters: FakeAws, operate: Run) -> None:
    found = {letter["id"]: letter for letter in json.loads(operate("dead-letters", "--json").out)}
    assert found["r-1"] == {
        "time": "2026-01-01T00:00:00Z",
        "stage": "validator",
        "id": "r-1",
        "records": 1,
        "error": "Invalid data: missing data field",
        "error_code": "200",
        "received": 1,
        "request_id": "id-1",
        "message_id": next(iter(letters.messages)),
        "problem": None,
        "event": record(1),
        "body": None,
        "record": record(1),
    }
    assert (found[None]["stage"], found[None]["body"]) == (None, "{broken")


def test_looking_consumes_nothing(letters: FakeAws, operate: Run) -> None:
    before = set(letters.messages)
    for _ in range(3):
        operate("dead-letters")
        assert letters.visible == 4
    assert set(letters.messages) == before
    assert not letters.calls["DeleteMessageBatch"]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 4),
        (("--stage", "validator"), 2),
        (("--stage", "enricher", "--stage", "unknown"), 2),
        (("--grep", "timed out"), 1),
        (("--grep", "r-[14]"), 2),
        (("--grep", "nowhere"), 0),
    ],
)
def test_they_can_be_chosen_and_counted(letters: FakeAws, operate: Run, options: tuple[str, ...], count: int) -> None:
    assert operate("dead-letters", "--count", *options).out == f"{count}\n"


def test_a_pattern_that_is_none_is_told(aws: FakeAws, operate: Run) -> None:
    ran = operate("dead-letters", "--grep", "(")
    assert ran.code == 2
    assert "not a regular expression" in ran.err


def test_an_empty_queue_is_told_in_every_form(aws: FakeAws, operate: Run) -> None:
    assert operate("dead-letters", "--count").out == "0\n"
    assert json.loads(operate("dead-letters", "--json").out) == []
    assert "no dead letters" in operate("dead-letters").out


def test_each_letter_of_a_long_queue_is_seen_once(aws: FakeAws, operate: Run) -> None:
    for number in range(237):
        aws.put(record(number))
    found = json.loads(operate("dead-letters", "--json").out)
    assert sorted(letter["id"] for letter in found) == sorted(f"r-{number}" for number in range(237))
    assert aws.visible == 237


def test_a_letter_that_sqs_delivers_twice_is_seen_once(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    (message,) = aws.messages.values()
    original = aws._ReceiveMessage
    aws._ReceiveMessage = lambda request: (original(request), setattr(message, "visible_at", 0))[0]  # type: ignore[method-assign]
    try:
        assert operate("dead-letters", "--count").out == "1\n"
    finally:
        del aws._ReceiveMessage


def test_what_a_record_holds_can_not_steer_the_terminal(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1, id="\x1b[2Jwiped"), error="first\nsecond\x07")
    out = operate("dead-letters").out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "first second" in out
    assert "\\x1b[2Jwiped" in out


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_json_stays_json_whatever_number_an_event_holds(aws: FakeAws, operate: Run, number: str) -> None:
    body = f'{{"id": "r-1", "timestamp": 1, "data": {number}}}'
    aws.put(body)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    (found,) = json.loads(operate("dead-letters", "--json").out, parse_constant=refuse)
    assert (found["id"], found["event"], found["body"]) == ("r-1", None, body)


def test_letters_that_can_not_be_given_back_are_told_to_come_back(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    for operation in ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"):
        aws.always[operation] = Failure(403, "AccessDenied", "not allowed")
    ran = operate("dead-letters")
    assert ran.code == 3
    assert "seen again after 60 s" in ran.error
    assert len(aws.messages) == 1


def test_a_batch_that_failed_as_a_whole_is_one_letter_with_its_records(aws: FakeAws, operate: Run) -> None:
    batch = [record(n) for n in range(3)]
    aws.put(batch)
    aws.put(envelope(batch, [record(1), record(2)]), of="enricher")
    aws.put(envelope(batch, record(2)), of="enricher")
    found = json.loads(operate("dead-letters", "--json").out)
    assert sorted((one["stage"], one["records"], one["id"]) for one in found) == [
        ("enricher", 1, "r-2"),
        ("enricher", 2, None),
        ("validator", 3, None),
    ]


def test_letters_in_another_readers_hands_are_told_beside_the_count(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    for number in (2, 3):
        aws.messages[aws.put(record(number))].visible_at = time.monotonic() + 60
    ran = operate("dead-letters", "--count")
    assert (ran.code, ran.out) == (0, "1\n")
    assert "Somebody else had received about 2 more letters" in ran.err


def test_it_says_so_where_sqs_hands_out_no_more(aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.put(record(1))
    counts = {"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "119990"}
    monkeypatch.setattr(aws, "_GetQueueAttributes", lambda _: {"Attributes": counts})
    ran = operate("dead-letters", "--count")
    assert "SQS hands out no more letters: 119990 of at most 120000 are in flight. 7 more wait" in ran.err


def exported(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_letters_can_be_exported_and_stay(letters: FakeAws, operate: Run, tmp_path: Path) -> None:
    ran = operate("dead-letters", "--export", tmp_path / "letters.jsonl", "--stage", "validator")
    assert (ran.code, ran.counts) == (0, {"chosen": 2, "exported": 2})
    found = {one["id"]: one for one in exported(tmp_path / "letters.jsonl")}
    assert found["r-1"]["body"] == json.dumps(record(1))
    assert (found["r-1"]["request_id"], found["r-1"]["error"]) == ("id-1", "Invalid data: missing data field")
    assert "event" not in found["r-1"]
    assert (tmp_path / "letters.jsonl").stat().st_mode & 0o777 == 0o600
    assert letters.visible == 4


def test_letters_can_be_discarded_by_the_same_choice_as_a_redrive(letters: FakeAws, operate: Run) -> None:
    ran = operate("dead-letters", "--discard", "--yes", "--stage", "unknown", "--grep", "broken")
    assert (ran.code, ran.counts) == (0, {"chosen": 1, "deleted": 1})
    assert len(letters.messages) == letters.visible == 3
    assert not letters.invocations


def test_a_letter_is_written_before_it_is_deleted(letters: FakeAws, operate: Run, tmp_path: Path) -> None:
    path, delete = tmp_path / "letters.jsonl", letters._DeleteMessageBatch
    written: list[int] = []

    def look_first(request: dict[str, Any]) -> dict[str, Any]:
        written.append(len(exported(path)))
        return delete(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "_DeleteMessageBatch", look_first)
        ran = operate("dead-letters", "--export", path, "--discard", "--yes")
    assert (ran.code, ran.counts) == (0, {"chosen": 4, "exported": 4, "deleted": 4})
    assert (written, letters.messages) == ([4], {})


def test_without_a_terminal_nothing_is_discarded_unless_it_is_told_to(letters: FakeAws, operate: Run) -> None:
    ran = operate("dead-letters", "--discard")
    assert (ran.code, len(letters.messages)) == (2, 4)
    assert "--yes" in ran.error


def test_a_letter_that_arrives_meanwhile_is_not_discarded(letters: FakeAws, operate: Run) -> None:
    newer = letters.put(record(9), sent=int(time.time() * 1000) + 60_000)
    assert operate("dead-letters", "--discard", "--yes").code == 0
    assert list(letters.messages) == [newer]


def test_what_could_not_be_deleted_is_told(letters: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"Failed": [{"Id": str(number), "Code": "InternalError"} for number in range(4)]}
    monkeypatch.setattr(letters, "_DeleteMessageBatch", lambda _: failed)
    ran = operate("dead-letters", "--discard", "--yes")
    assert (ran.code, ran.counts) == (1, {"chosen": 4, "deleted": 0})
    assert letters.visible == 4


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("elsewhere")])
def test_an_export_replaces_no_file_and_follows_no_link(
    letters: FakeAws, operate: Run, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "letters")
    ran = operate("dead-letters", "--export", tmp_path / "letters", "--discard", "--yes")
    assert (ran.code, len(letters.messages)) == (2, 4)
    assert "--export" in ran.error
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("option", ["--json", "--count", "--summary"])
def test_what_takes_letters_out_shows_none(letters: FakeAws, operate: Run, option: str) -> None:
    assert operate("dead-letters", "--discard", "--yes", option).code == 2
    assert len(letters.messages) == 4


@pytest.mark.parametrize(
    ("body", "of", "record_text"),
    [
        ('{"id": "a", "data": 1.10}', "validator", '{"id": "a", "data": 1.10}'),
        (envelope(record(1), {"valid": True, **record(1), "data": "changed"}), "enricher", json.dumps(record(1))),
        (envelope([record(1), record(2)], record(2)), "enricher", json.dumps(record(2))),
        (envelope([record(1), record(2)], [record(2)]), "enricher", json.dumps([record(1), record(2)])),
        ("{broken", "validator", "null"),
        (record(1), "nobody", "null"),
    ],
)
def test_the_record_is_there_as_its_producer_sent_it(
    aws: FakeAws, operate: Run, tmp_path: Path, *, body: object, of: str, record_text: str
) -> None:
    aws.put(body, of=of, sent=SENT)
    path = tmp_path / "letters.jsonl"
    assert operate("dead-letters", "--export", path).code == 0
    for text in (path.read_text(), operate("dead-letters", "--json").out):
        assert f'"record": {record_text}}}' in text


def test_an_export_of_no_letter_leaves_no_file(letters: FakeAws, operate: Run, tmp_path: Path) -> None:
    ran = operate("dead-letters", "--export", tmp_path / "none.jsonl", "--grep", "nothing of it")
    assert (ran.code, ran.counts) == (0, {"chosen": 0, "exported": 0})
    assert list(tmp_path.glob("none*")) == []
