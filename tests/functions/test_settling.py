"""Whatever happens to the reader and to what it sent: a file's receipt adds up, and is true of the table."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from core.aws import AFTER_THROTTLING
from core.files import looking, reading, sending, uploaded
from core.store import is_same
from record import parse

from .files_world import MINUTE, Killed, Message, World, refused, throttled
from .test_reader import counts, record, sent, text

LARGE = 200
"""Bytes that make a part in the random cases."""
CASES = 600
BLOCKS = 12


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def losing(world: World, *ids: str, times: int) -> None:
    """Let Lambda lose records so many times each, without a word."""
    lost = Counter[str]()
    original = world.store

    def store(event: Any) -> None:
        kept = []
        for one in event:
            lost[one["id"]] += 1
            if one["id"] not in ids or lost[one["id"]] > times:
                kept.append(one)
        original(kept)

    world.store = store  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("times", "found", "rounds"), [(1, (0, 4, 0, 0), 2), (2, (0, 4, 0, 0), 3), (3, (0, 3, 0, 1), 3)]
)
def test_what_is_not_stored_is_sent_again_twice_and_then_is_missing(
    world: World, times: int, found: tuple[int, ...], rounds: int
) -> None:
    losing(world, "order-2", times=times)
    world.settle("a.jsonl", text(*(record(number) for number in range(4))))
    assert counts(world, "a.jsonl") == found
    receipt = world.receipt("a.jsonl")
    assert receipt["sent_again"] == rounds - 1 == len(world.events) - 1
    assert world.events[1:] == [[record(2)]] * (rounds - 1)
    assert receipt["seconds"] == pytest.approx(sum((5, 15, 60)[:rounds]) * MINUTE, abs=5)
    missing = world.s3.documents("missing/a.jsonl.jsonl") if found[3] else []
    assert missing == [record(2)] * found[3]


def test_while_the_pipeline_is_behind_lines_are_looked_for_again_and_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FEW", 10)
    world.put("a.jsonl", text(*(record(number) for number in range(1000))))
    world.deliver(world.messages.pop())
    waits, records = [], sent(world)
    for first, last in ((0, 400), (400, 700), (700, 1000), (0, 0)):
        world.store(records[first:last])
        began = world.seconds
        world.deliver(world.messages.pop())
        waits.append((world.seconds - began) / MINUTE)
    assert waits == pytest.approx([5, 10, 15, 5], abs=0.1)  # no message waits for more than 15
    assert counts(world, "a.jsonl") == (0, 1000, 0, 0)
    assert world.receipt("a.jsonl")["sent_again"] == 0


def test_lines_that_get_no_fewer_are_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FEW", 1)
    losing(world, "order-1", "order-2", "order-3", times=1)
    world.put("a.jsonl", text(*(record(number) for number in range(10))))
    assert world.work_off() == {0: 1, 1: 3, 2: 1}
    assert world.receipt("a.jsonl")["sent_again"] == 3


def test_missing_lines_of_an_earlier_file_are_taken_away_with_it(world: World) -> None:
    losing(world, "order-1", times=3)
    for _ in range(2):
        world.settle("a.jsonl", text(record(1)))
    assert counts(world, "a.jsonl") == (0, 1, 0, 0)
    assert world.s3.documents("missing/a.jsonl.jsonl") == []


def test_a_line_of_which_another_record_has_the_key_is_different_and_not_sent_again(world: World) -> None:
    world.store([record(1, data="another"), record(2)])
    world.settle(
        "a.jsonl", text(record(1), record(2), record(3), record(3, data={"total": 3.0}), record(3, data="other"))
    )
    assert counts(world, "a.jsonl") == (0, 3, 2, 0)
    assert world.receipt("a.jsonl")["sent_again"] == 0


def test_keys_that_dynamodb_leaves_out_are_asked_for_again(world: World) -> None:
    world.left_out = lambda count: count // 2
    world.settle("a.jsonl", text(*(record(number) for number in range(150))))
    assert counts(world, "a.jsonl") == (0, 150, 0, 0)
    assert world.looks[:3] == [100, 50, 25]


@pytest.mark.parametrize("empty", [1, 4, 5])
def test_if_dynamodb_leaves_out_all_keys_it_is_asked_again_ever_later_and_then_the_step_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, empty: int
) -> None:
    monkeypatch.setattr(looking, "jitter", lambda seconds: seconds)
    world.left_out = lambda count: count if len(world.looks) % 7 in range(1, empty + 1) else 0
    world.put("a.jsonl", text(record(1)))
    world.steps(1)
    (message,) = world.messages
    world.slept = 0
    assert world.deliver(message) == (empty < 5)
    waits = [AFTER_THROTTLING * 2**attempt for attempt in range(1, empty + 1)]
    assert (len(world.looks), world.slept) == ((empty + 1, sum(waits)) if empty < 5 else (5, sum(waits[:4])))
    assert world.hidden == [MINUTE] * (empty == 5)


def test_large_records_are_looked_for_few_at_a_time(world: World) -> None:
    world.settle("a.jsonl", text(*(record(number, data="x" * 300_000) for number in range(10))))
    assert counts(world, "a.jsonl") == (0, 10, 0, 0)
    assert max(world.looks) <= 4


def test_a_wait_longer_than_sqs_has_is_several_messages(world: World) -> None:
    losing(world, "order-1", times=9)
    world.put("a.jsonl", text(record(1)))
    assert world.work_off() == {0: 1, 1: 2, 2: 2, 3: 4}


@pytest.mark.parametrize("messages", [1, 2, 3], ids=["not read", "read", "looked for"])
def test_a_file_that_is_deleted_stops_at_the_next_step(world: World, messages: int) -> None:
    losing(world, "order-1", times=9)
    world.put("a.jsonl", text(record(1), record(2), "{"))
    world.steps(messages - 1)
    world.s3.delete("a.jsonl")
    assert sum(world.work_off().values()) == 1
    assert world.receipt("a.jsonl")["reason"] == "the file was deleted"
    assert counts(world, "a.jsonl") == [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 1)][messages - 1]
    assert world.letters == []


def test_a_file_deleted_while_it_is_read_stops_at_the_next_range(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "RANGE", 1000)
    monkeypatch.setattr(sending, "BATCH", 2000)
    world.put("a.jsonl", text(*(record(number) for number in range(200))))
    world.before = lambda name: world.s3.delete("a.jsonl") if name == "invoke" and len(world.events) == 1 else None
    world.work_off()
    assert world.receipt("a.jsonl")["reason"] == "the file was deleted"
    assert len(sent(world)) < 60


def test_a_file_that_is_replaced_is_read_in_each_version_that_was_announced(world: World) -> None:
    first = world.put("a.jsonl", text(record(1), "{one"))["detail"]["object"]["version-id"]
    world.settle("a.jsonl", text(record(2), record(3), "{other"))
    assert sorted(one["id"] for one in sent(world)) == ["order-1", "order-2", "order-3"]
    assert counts(world, "a.jsonl") == (1, 2, 0, 0)
    assert counts(world, f"a.jsonl.{first}") == (1, 1, 0, 0)
    assert [one["content"] for one in world.s3.documents(f"rejected/a.jsonl.{first}.jsonl")] == ["{one"]
    assert [one["content"] for one in world.rejected("a.jsonl")] == ["{other"]


def at_the_third_reading(world: World, happens: Callable[[], object]) -> None:
    """Let something happen once, when the file or a part is read, after the two places of a receipt."""
    calls: list[str] = []

    def before(name: str) -> None:
        calls.append(name)
        if calls.count("get_object") == 3:
            world.before = lambda name: None
            happens()

    world.before = before


@pytest.mark.parametrize("while_it_is_read", [False, True], ids=["meanwhile", "while it is read"])
def test_without_versions_a_file_that_was_replaced_is_read_no_further(world: World, while_it_is_read: bool) -> None:
    event = world.put("a.jsonl", text(record(1)))
    del event["detail"]["object"]["version-id"]
    world.messages = [Message(0, json.dumps(event))]
    if while_it_is_read:
        at_the_third_reading(world, lambda: world.s3.put("a.jsonl", text(record(2))))
    else:
        world.s3.put("a.jsonl", text(record(2)))
    world.work_off()
    (receipt,) = (world.s3.json(key) for key in world.s3.names() if key.startswith("receipts/"))
    assert receipt["reason"] == "the file was replaced"
    assert world.events == []


def test_a_part_that_cannot_be_read_now_is_read_later(world: World) -> None:
    def fail() -> None:
        raise refused("InternalError")

    losing(world, "order-1", times=1)
    world.put("a.jsonl", text(record(1)))
    world.steps(2)
    at_the_third_reading(world, fail)
    (message,) = world.messages
    assert not world.deliver(message)
    world.work_off()
    assert counts(world, "a.jsonl") == (0, 1, 0, 0)


def test_a_file_that_is_settled_is_not_read_again_whatever_is_delivered_again(world: World) -> None:
    world.put("a.jsonl", text(record(1)))
    first = world.messages[0]
    world.work_off()
    world.s3.delete("a.jsonl")
    world.messages = [first]
    assert sum(world.work_off().values()) == 1
    assert len(world.events) == 1
    assert "reason" not in world.receipt("a.jsonl")


def test_a_stricter_contract_that_comes_while_a_file_is_settled_makes_its_open_lines_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    losing(world, "order-1", times=1)
    world.put("a.jsonl", text(record(1), record(2)))
    world.steps(2)

    def strict(*_: Any) -> Any:
        raise ValueError("refused from now on")

    monkeypatch.setattr(reading, "record_of", strict)
    world.work_off()
    assert counts(world, "a.jsonl") == (0, 1, 0, 1)
    assert world.s3.documents("missing/a.jsonl.jsonl") == [record(1)]


def test_a_file_tells_from_time_to_time_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("parts.PART", LARGE), ("sending.BATCH", 3000), ("looking.KEYS", 10)):
        monkeypatch.setattr(f"core.files.{name}", value)
    world = World(monkeypatch, part=LARGE)
    losing(world, *(f"order-{number}" for number in range(40)), times=9)

    world.before = lambda name: world.sleep(6)
    world.settle("a.jsonl", text(*(record(number) for number in range(40))))
    reports = [json.loads(one.content) for one in world.s3.versions["reports/a.jsonl.json"]]
    told = Counter((report["round"], report["again"]) for report in reports)
    steps = [(0, False), (1, False), (1, True), (2, False), (2, True), (3, False)]
    assert list(told) == steps
    assert min(told.values()) >= 5


# Random cases


class Case:
    """A file, and what happens to it, by a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.kills = self.chance.choice([0, 0, 3, 8])
        self.loses = self.chance.choice([0.0, 0.1, 0.5])
        self.repeats = self.chance.choice([0.0, 0.2])
        self.throttles = self.chance.choice([0.0, 0.05])
        self.twins = self.chance.choice([0, 3])
        """The number of times that a second reader works in the middle of the first one's work."""
        self.withdrawn = False
        self.message: list[Message] = []
        """The message that is worked on; empty while a second reader works."""
        self.at = 0
        """The call at which the reader is killed; 0 for none."""
        world.before, world.after = self.before, self.after
        world.left_out = lambda count: self.chance.randrange(count + 1) if self.chance.random() < 0.2 else 0

    def content(self) -> bytes:
        """Make a file of all kinds of lines, some with the same key."""
        return text(*(self.line(self.chance.randrange(12)) for _ in range(self.chance.randrange(25))))

    def line(self, number: int) -> object:
        kind = self.chance.random()
        if kind < 0.15:
            return self.chance.choice(["{broken", "[]", "7", '{"id": "a"}', json.dumps(record(number, timestamp="x"))])
        if kind < 0.25:
            return ""
        if kind < 0.4:
            return {"id": f"undated-{number}", "data": number}
        return record(number, data=self.chance.choice([number, "other"]))

    def before(self, name: str) -> None:
        self.at -= 1
        if self.at == 0:
            raise Killed
        if self.twins and self.message and self.chance.random() < 0.1:
            self.work_beside()
        if name == "invoke" and self.chance.random() < self.throttles:
            raise refused("TooManyRequestsException")
        if name in ("BatchGetItem", "SendMessage") and self.chance.random() < self.throttles:
            raise throttled()

    def after(self, name: str) -> None:
        if self.at == 1 and self.chance.random() < 0.5:  # it was done, and nobody learns of it
            self.at = 0
            raise Killed

    def run(self, key: str) -> list[str]:
        """Let it all happen in any order; return the versions that were announced."""
        world, chance = self.world, self.chance
        pack = gzip.compress if key.endswith(".gz") else bytes
        versions = [self.announce(key, pack(self.content()))]
        changes = chance.choice([None, None, "delete", "replace"])
        for _ in range(400):
            if changes and chance.random() < 0.2:
                if changes == "delete":
                    world.s3.delete(key)
                    self.withdrawn = True
                else:
                    versions.append(self.announce(key, pack(self.content())))
                changes = None
            if not world.messages:
                return versions
            self.step()
        raise AssertionError("it does not end")

    def announce(self, key: str, content: bytes) -> str:
        version: str = self.world.put(key, content)["detail"]["object"]["version-id"]
        if self.chance.random() < self.repeats:
            self.world.messages *= 2
        return version

    def work_beside(self) -> None:
        """Let a second reader work on the same message, or on another one."""
        self.twins -= 1
        (message,), self.message, at, self.at = self.message, [], self.at, 0
        if self.world.messages and self.chance.random() < 0.7:
            other = self.world.messages.pop(self.chance.randrange(len(self.world.messages)))
            if not self.world.deliver(other):
                self.world.messages.append(other._replace(received=other.received + 1))
        else:
            self.world.deliver(message)
        self.message, self.at = [message], at

    def step(self) -> None:
        world, chance = self.world, self.chance
        message = world.messages.pop(chance.randrange(len(world.messages)))
        self.message = [message]
        if self.kills:
            self.at, self.kills = chance.randrange(1, 30), self.kills - 1
        try:
            done = world.deliver(message, looks=chance.choice([3, 10, 40, 10**9]))
        except Killed:
            done = False
        self.at, self.message = 0, []
        if not done:
            self.throttles *= 0.8
            world.messages.append(message._replace(received=message.received + 1))
        elif chance.random() < self.repeats:
            self.repeats *= 0.7
            world.messages.append(message)
        while world.waiting and chance.random() < 0.8:
            event = world.waiting.pop(chance.randrange(len(world.waiting)))
            world.store([one for one in event if chance.random() >= self.loses])


@pytest.mark.parametrize("block", range(BLOCKS))
def test_whatever_happens_the_receipt_adds_up_and_is_true(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    limits = {"uploaded.RANGE": 300, "sending.BATCH": 1000, "parts.PART": LARGE, "looking.KEYS": 4}
    for name, value in (limits | {"reading.MOST_REJECTED": 5, "reading.FEW": 2}).items():
        monkeypatch.setattr(f"core.files.{name}", value)
    for seed in range(block, CASES, BLOCKS):
        with pytest.MonkeyPatch.context() as patch:
            world = World(patch, part=LARGE)
            case = Case(world, seed)
            key = case.chance.choice(["a.jsonl", "in/a.jsonl.gz"])
            world.store([record(1, data="another"), record(2, data="another")])
            versions = case.run(key)
            for version in versions:
                check(world, key, version, case)


def check(world: World, key: str, version: str, case: Case) -> None:
    """Hold a receipt against the file, the table and what is beside it."""
    s3 = world.s3
    own = f"{key}.{version}" if f"receipts/{key}.{version}.json" in s3.names() else key
    kept = [json.loads(one.content) for one in s3.versions[f"receipts/{own}.json"]]
    receipt = [one for one in kept if one["version"] == version][-1]
    rejected, stored, different, missing = (receipt[name] for name in ("rejected", "stored", "different", "missing"))
    assert receipt["lines"] == rejected + stored + different + missing
    beside = {
        prefix: s3.documents(f"{prefix}/{own}.jsonl") if f"{prefix}/{own}.jsonl" in s3.names() else []
        for prefix in ("rejected", "missing")
    }
    if receipt == kept[-1]:  # else those of the file that has replaced it are beside it
        assert (len(beside["rejected"]), len(beside["missing"])) == (rejected, missing)
    assert not [name for name in s3.names() if name.startswith(f"reports/{key}.{version}/")]
    content = next(one.content for one in s3.versions[key] if one.id == version)
    lines = (gzip.decompress(content) if key.endswith(".gz") else content).split(b"\n")
    sought, refusals = expected(world, key, version, lines)
    found = Counter(kind_of(world, one) for one in sought)
    if case.withdrawn:
        assert rejected <= refusals
        assert stored <= found["stored"]
        assert different <= found["different"]
        return
    assert "reason" not in receipt or refusals == reading.MOST_REJECTED
    assert receipt["lines"] == len(sought) + refusals
    assert rejected == refusals
    # What is missing may have been stored since by what came late, as what it was or as another's.
    assert stored <= found["stored"]
    assert different <= found["different"]
    assert found["missing"] <= missing
    assert receipt != kept[-1] or not [one for one in beside["missing"] if one not in sought]


def expected(world: World, key: str, version: str, lines: list[bytes]) -> tuple[list[Any], int]:
    """Return the records of a file as they are sent, and the number of its rejected lines, up to those too many."""
    upload = next(one for one in world.s3.versions[key] if one.id == version)
    same = [one for one in world.s3.versions[key] if one.content == upload.content]
    dates = {int(one.modified.timestamp() * 1000) for one in same}
    sought: list[Any] = []
    refusals = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
            parse(document)
        except ValueError:
            if refusals == reading.MOST_REJECTED:
                break
            refusals += 1
            continue
        if "timestamp" not in document:
            (date,) = dates
            document = {"timestamp": date + number, **document}
        sought.append(document)
    return sought, refusals


def kind_of(world: World, document: Any) -> str:
    own = parse(document).own
    item = world.items.get((own["id"]["S"], own["timestamp"]["N"]))
    return "missing" if item is None else "stored" if is_same(item, own) else "different"
