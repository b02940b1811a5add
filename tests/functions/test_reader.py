"""The reader gives every line of a file to the validator or says why not, whatever happens to it on the way."""

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import reader
from core.files import reading, sending, uploaded
from core.files.parts import PART

from .fake_s3 import UPLOADED
from .files_world import MINUTE, Invocation, World

DATE = int(UPLOADED.timestamp() * 1000)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"order-{number}", "timestamp": number + 1, "data": {"total": number}, **fields}


def text(*lines: object) -> bytes:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def sent(world: World) -> list[Any]:
    return [one for batch in world.events for one in batch]


def counts(world: World, key: str) -> tuple[int, ...]:
    """Give the receipt's counts, which add up."""
    receipt = world.receipt(key)
    found = tuple(receipt[name] for name in ("rejected", "stored", "different", "missing"))
    assert receipt["lines"] == sum(found)
    return found


@pytest.mark.parametrize(("key", "packed"), [("in/orders.jsonl", bytes), ("orders.jsonl.gz", gzip.compress)])
def test_every_record_is_given_to_the_validator_in_order_and_settled(
    world: World, key: str, packed: Callable[[bytes], bytes]
) -> None:
    records = [record(number) for number in range(3000)]
    event = world.put(key, packed(text(*records)))
    steps = world.work_off()
    assert sent(world) == records
    receipt = world.receipt(key)
    assert receipt.pop("seconds") == pytest.approx(5 * MINUTE, abs=1)
    assert receipt.pop("began") == 1_800_000_000_000
    assert receipt == {
        **{"lines": 3000, "rejected": 0, "stored": 3000, "different": 0, "missing": 0, "sent_again": 0},
        "version": event["detail"]["object"]["version-id"],
    }
    assert steps == {0: 1, 1: 1}
    assert world.s3.names() == sorted([key, f"receipts/{key}.json", f"reports/{key}.json"])
    assert world.looks == [100] * 30


def test_no_batch_takes_more_than_one_request_at_the_last_stage(world: World) -> None:
    world.settle("a.jsonl", text(*(record(number, data="x" * (number % 700)) for number in range(3000))))
    sizes = [len(json.dumps(batch, separators=(",", ":"))) * 3 + 160 * len(batch) for batch in world.events]
    assert max(sizes) <= 256 * 1024
    assert min(sizes[:-1]) > 200 * 1024


def test_a_batch_is_as_full_as_one_request_allows(world: World) -> None:
    sender = sending.Sender()
    for _ in range(600):
        sender.add(b'"%s"' % (b"x" * 88))
    assert sender.sent == 256 * 1024 * 15 // 16 // (3 * 90 + 160) == 571


def test_no_batch_has_more_records_than_the_stages_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH", 10**6)
    world.settle("a.jsonl", text(*(record(number) for number in range(1001))))
    assert [len(batch) for batch in world.events] == [1000, 1]


FAULTS = {
    "{broken": "it is not JSON (Expecting property name enclosed in double quotes at column 2)",
    "[1, 2]": "it is no JSON object",
    '{"id": "a", "data": NaN}': "it is not JSON (JSON has no NaN)",
    '{"id": "a", "data": 1.2345678901234567890}': "it has a number that a double does not hold exactly"
    " (1.2345678901234567890): send it as a string",
    '{"data": ' + "[" * 600 + "]" * 600 + "}": "it is nested more than 401 levels deep",
    "[" * 100_000: "it is nested too deep",
    json.dumps({"data": "x" * 1_000_000}): "it has more than 1000000 bytes",
    '{"id": "a"}': "Invalid data: missing data field",
    '{"id": "", "data": 1}': "Invalid data: id must not be empty",
    '{"id": "a", "data": 1, "timestamp": -1}': "Invalid data: timestamp must be positive",
}


def test_each_line_that_is_no_record_has_its_number_and_reason_and_causes_nothing_else(world: World) -> None:
    good = record(1)
    world.settle("a.jsonl", text(good, *FAULTS, "", good))
    assert sent(world) == [good, good]
    assert world.rejected("a.jsonl") == [
        {"line": number, "reason": reason, "content": line[:1000]}
        for number, (line, reason) in enumerate(FAULTS.items(), 2)
    ]
    assert counts(world, "a.jsonl") == (len(FAULTS), 2, 0, 0)
    assert (world.letters, world.refusals) == ([], [])


def test_a_line_whose_data_breaks_the_schema_is_rejected(world: World, schema: Callable[[Any], None]) -> None:
    schema({"properties": {"total": {"maximum": 1}}})
    world.settle("a.jsonl", text(record(1), record(2)))
    assert sent(world) == [record(1)]
    (rejected,) = world.rejected("a.jsonl")
    assert rejected["reason"] == "Invalid data: data.total must be smaller than or equal to 1"


def test_a_line_that_is_not_utf8_is_rejected(world: World) -> None:
    world.settle("a.jsonl", '{"id": "a", "data": "\xe9"}\n'.encode("latin-1") + text(record(1)))
    (rejected,) = world.rejected("a.jsonl")
    assert (rejected["line"], rejected["reason"]) == (1, "it is not UTF-8")
    assert "\ufffd" in rejected["content"]
    assert sent(world) == [record(1)]


def test_the_line_in_which_a_compressed_file_ends_early_is_rejected(world: World) -> None:
    noise = random.Random(1)
    packed = gzip.compress(text(*(record(n, data=str(noise.random())) for n in range(2000))))
    world.settle("a.jsonl.gz", packed[: len(packed) // 2])
    (rejected,) = world.rejected("a.jsonl.gz")
    assert rejected["reason"] == "the gzip file ends here, before its end"
    assert rejected["line"] == len(sent(world)) + 1 > 100
    assert counts(world, "a.jsonl.gz") == (1, len(sent(world)), 0, 0)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"{broken"])
def test_a_file_without_records_has_its_receipt_at_once(world: World, content: bytes) -> None:
    world.put("a.jsonl", content)
    assert world.work_off() == {0: 1}
    assert counts(world, "a.jsonl") == (int(content == b"{broken"), 0, 0, 0)


def test_rejected_lines_of_an_earlier_file_are_taken_away_with_it(world: World) -> None:
    for content in (text("{broken"), text(record(1))):
        world.settle("a.jsonl", content)
    assert world.rejected("a.jsonl") == []


@pytest.mark.parametrize("key", [*(f"{reserved}a.jsonl" for reserved in uploaded.RESERVED), "orders.csv"])
def test_what_is_no_file_of_records_is_left_alone(world: World, key: str) -> None:
    world.settle(key, text(record(1)))
    assert world.events == []
    assert world.s3.names() == [key]


def test_a_file_that_may_not_be_read_stays_in_the_queue_and_is_looked_at_again_ever_later(world: World) -> None:
    world.put("in/a.jsonl", b"")
    world.s3.denied = "403"
    (message,) = world.messages
    for count in range(5):
        assert not world.deliver(message._replace(received=count))
    assert world.hidden == [minutes * MINUTE for minutes in (1, 4, 16, 64, 256)]
    assert world.letters == []


@pytest.mark.parametrize(
    ("status", "message"), [(403, "stage failed"), (429, "dependency failed"), (503, "dependency failed")]
)
def test_the_log_tells_what_passes_from_what_does_not(
    world: World, caplog: pytest.LogCaptureFixture, status: int, message: str
) -> None:
    def before(name: str) -> None:
        answer: Any = {"Error": {"Code": "No"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        if name == "invoke":
            raise ClientError(answer, name)

    world.before = before
    world.put("a.jsonl", text(record(1)))
    assert not world.deliver(world.messages[0])
    assert [line.message for line in caplog.records] == [message]


def test_what_is_no_gzip_file_is_a_dead_letter_with_a_receipt(world: World) -> None:
    event = world.put("a.jsonl.gz", text(record(1)))
    world.work_off()
    (reason,) = world.reasons()
    assert reason.startswith("a.jsonl.gz can't be read: the gzip file is damaged here")
    assert world.receipt("a.jsonl.gz")["reason"] == reason
    assert counts(world, "a.jsonl.gz") == (0, 0, 0, 0)
    assert json.loads(world.letters[0]["MessageBody"]) == event
    world.settle("a.jsonl.gz", gzip.compress(text(record(1))))
    assert "reason" not in world.receipt("a.jsonl.gz")


@pytest.mark.parametrize("length", [946, 947, 1010])
def test_a_key_that_leaves_no_room_for_the_readers_own_is_refused(world: World, length: int) -> None:
    key = "x" * (length - 6) + ".jsonl"
    world.settle(key, text(record(1), "{broken"))
    if length > 946:
        assert world.reasons() == [f"a key must have at most 946 bytes (got {length})"]
        assert world.events == []
    else:
        assert counts(world, key) == (1, 1, 0, 0)


def test_an_answer_that_breaks_off_is_asked_for_again(world: World) -> None:
    def breaking(name: str) -> None:
        world.s3.breaks = 2
        world.before = lambda name: None

    world.before = lambda name: breaking(name) if name == "head_object" else None
    world.settle("a.jsonl", text(record(1)))
    assert sent(world) == [record(1)]


def test_a_large_file_is_read_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "RANGE", 1000)
    records = [record(number) for number in range(500)]
    world.settle("a.jsonl", text(*records))
    assert sent(world) == records
    assert max(size for key, size in world.s3.reads if key == "a.jsonl") == 1000


def undated(count: int) -> list[dict[str, Any]]:
    return [{"id": "one", "data": number} for number in range(count)]


def test_the_same_content_again_has_the_same_timestamps_and_other_content_its_own(world: World) -> None:
    for count in (3, 3, 4):
        world.settle("a.jsonl", text(*undated(count)))
    first, second, third = world.events
    assert first == second
    assert {one["timestamp"] for one in first}.isdisjoint(one["timestamp"] for one in third)


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("looks", [1000, 3000])
def test_when_the_time_ends_another_step_goes_on(world: World, looks: int, packed: Callable[[bytes], bytes]) -> None:
    lines = [line for number in range(2000) for line in (record(number), "{broken")]
    key = "a.jsonl" if packed is bytes else "a.jsonl.gz"
    steps = world.settle(key, packed(text(*lines, *undated(10))), looks=looks)
    assert min(steps[0], steps[1]) > 1
    records = sent(world)
    assert records[:2000] == lines[::2]
    assert [one["timestamp"] for one in records[2000:]] == [DATE + 4001 + number for number in range(10)]
    assert [one["line"] for one in world.rejected(key)] == list(range(2, 4001, 2))
    assert counts(world, key) == (2000, 2010, 0, 0)


def test_lines_that_are_blank_or_rejected_count_against_the_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "RANGE", 1000)
    steps = world.settle("a.jsonl", b"\n" * 50_000 + b"{broken\n" * 50 + text(record(1)), looks=20)
    assert steps[0] > 3
    assert counts(world, "a.jsonl") == (50, 1, 0, 0)


@pytest.mark.parametrize("lines", [b"", text(record(1))])
def test_a_file_that_takes_all_the_time_to_get_on_is_read_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch, lines: bytes
) -> None:
    monkeypatch.setattr(uploaded, "RANGE", 1000)
    steps = world.settle("a.jsonl", lines + b"x" * 100_000, looks=8)
    reason = f"a.jsonl takes too long to get to line {1 + bool(lines)}: split it"
    assert (world.reasons(), world.receipt("a.jsonl")["reason"]) == ([reason], reason)
    assert counts(world, "a.jsonl") == (0, int(bool(lines)), 0, 0)
    assert steps[0] < 5


def test_of_more_rejected_lines_than_are_kept_the_file_is_read_no_further_and_the_rest_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_REJECTED", 3)
    world.settle("a.jsonl", text(record(1), "{", "{", record(2), "{", record(3), "{", record(4)))
    assert sent(world) == [record(1), record(2), record(3)]
    assert counts(world, "a.jsonl") == (3, 3, 0, 0)
    assert world.receipt("a.jsonl")["reason"] == "more than 3 lines are no records: it was read up to these"
    assert [one["line"] for one in world.rejected("a.jsonl")] == [2, 3, 5]


def test_rejected_lines_are_written_once_in_parts_and_joined(world: World) -> None:
    lines = b"{%s\n" % (b"x" * 1500) * 12_000
    written: list[str] = []
    world.before = written.append
    world.settle("a.jsonl", lines, looks=5000)
    documents = world.rejected("a.jsonl")
    assert [one["line"] for one in documents] == list(range(1, 12_001))
    assert not world.s3.uploads
    size = sum(len(version.content) for version in world.s3.versions["rejected/a.jsonl.jsonl"])
    assert written.count("upload_part") == pytest.approx(size / PART, abs=1)
    assert len(world.s3.versions["rejected/a.jsonl.jsonl"]) == 1
    assert not [key for key in world.s3.names() if key.startswith("reports/a.jsonl.v")]


def test_the_pace_counts_each_kilobyte(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDS_A_SECOND", "100")
    world.settle("a.jsonl", text(*(record(number, data="x" * 1500) for number in range(500))))
    assert world.slept == pytest.approx(500 * 2 / 100, rel=0.15)


@pytest.mark.parametrize(("size", "writes"), [(923, 1), (924, 2), (1947, 2), (1948, 3)])
def test_a_record_counts_once_for_each_kilobyte_that_its_item_has_begun(
    world: World, monkeypatch: pytest.MonkeyPatch, size: int, writes: int
) -> None:
    monkeypatch.setenv("RECORDS_A_SECOND", "0.5")
    sender = sending.Sender()
    for _ in range(2):
        sender.add(b'"%s"' % (b"x" * (size - 2)))
        sender.flush()
    assert world.slept == pytest.approx(writes / 0.5)


def test_a_reader_that_waited_makes_up_for_one_second_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDS_A_SECOND", "1")
    sender = sending.Sender()
    world.seconds += 100
    for _ in range(4):
        sender.add(b"{}")
        sender.flush()
    assert world.slept == pytest.approx(2)


def test_readers_share_the_pace_and_a_new_one_waits_for_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDS_A_SECOND", "100")
    asked: list[float] = []
    world.before = lambda name: asked.append(world.seconds) if name == "GetQueueAttributes" else None
    sender = sending.Sender()

    def seconds_for(count: int) -> float:
        began = world.seconds
        for _ in range(count):
            sender.add(b"{}")
            sender.flush()
        return world.seconds - began

    assert seconds_for(1000) == pytest.approx(10, rel=0.15)
    assert len(asked) <= 2
    world.in_flight = 2
    assert seconds_for(3000) == pytest.approx(60, rel=0.2)
    sender = sending.Sender()
    assert seconds_for(1) == pytest.approx(10)
    world.in_flight = 7  # two read, the others wait to be tried again
    assert seconds_for(1000) == pytest.approx(20, rel=0.15)


def test_an_event_that_comes_without_the_queue_is_read_too(world: World) -> None:
    event = world.put("a.jsonl", text(record(1)))
    reader.handler(event, Invocation(world, 10**9))
    assert sent(world) == [record(1)]
