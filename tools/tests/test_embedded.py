"""The commands against the pipeline itself, on the embedded AWS: whatever happens, each record is stored once."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from model.project import NAME
from pipeline.letters.queue import DeadLetterQueue
from tests.deployed import ROOT, DeployedStack

from .conftest import Ran, put_letters
from .stack.samples import record

Run = Callable[..., Ran]
DEADLINE = 60
"""Seconds within which what was killed again and again has come to its end."""


@pytest.fixture
def stack(stack: DeployedStack, embedded: DeployedStack) -> DeployedStack:
    """The deployed stack, empty, with the environment leading to it."""
    return stack


# MiniStack starts an interpreter anew after each function error, three for each record that is denied: 140 and 60 pass
# too, and take minutes.
ACCEPTED, DENIED = 10, 4


WRITES = ["dynamodb:PutItem", "dynamodb:PartiQLInsert", "dynamodb:BatchExecuteStatement"]


class Forkserver:
    """Starts commands that have nothing to import any more."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def run(self, *arguments: object, kill_when: Callable[[], bool] | None = None) -> int:
        """Run a command, kill it at some moment unless it ended before, and return its exit code."""
        assert self._process.stdin
        assert self._process.stdout
        command = dict(os.environ), [str(argument) for argument in arguments]
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        child = int(self._process.stdout.readline())
        if kill_when:
            while not kill_when() and not select.select([self._process.stdout], [], [], 0.002)[0]:
                pass
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def forkserver() -> Iterator[Forkserver]:
    command = [sys.executable, str(Path(__file__).with_name("forkserver.py"))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Forkserver(process)
        finally:
            process.kill()


class Moments:
    """Random moments in the course of a command, the same in each run of the test: when it came so much further."""

    def __init__(self, progress: Callable[[], int], *, seed: int, most: int) -> None:
        self._progress, self._most = progress, most
        self._random = random.Random(seed)

    def next(self) -> Callable[[], bool]:
        """Return what tells whether the next moment has come."""
        before, more = self._progress(), self._random.randint(0, self._most)
        at = time.monotonic() + self._random.uniform(0, 0.3) if more == 0 else 0
        return lambda: self._progress() >= before + more and time.monotonic() >= at


def lines_of(path: Path) -> Callable[[], int]:
    """Return what counts the lines of a file."""
    return lambda: path.read_bytes().count(b"\n") if path.exists() else 0


def events_of(stack: DeployedStack) -> Callable[[], int]:
    """Return what counts the events that Lambda has accepted."""
    return lambda: int(stack.aws.queue_state()["accepted"])


@contextmanager
def denied(stack: DeployedStack) -> Iterator[None]:
    """Take away the processor's permission to write the table."""
    function = stack.client("lambda").get_function_configuration(FunctionName=stack.outputs.aliases["processor"])
    iam, role = stack.client("iam"), function["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": WRITES, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def stored(stack: DeployedStack) -> Counter[str]:
    """How often each record is stored, when nothing is under way any more."""
    state = stack.drain()
    assert not state["losses"]
    return Counter(item.id for item in stack.items())


def test_records_that_the_table_denied_are_all_stored_after_a_redrive(
    stack: DeployedStack, operate: Run, tmp_path: Path
) -> None:
    good, bad = [record(n) for n in range(ACCEPTED)], [record(n) for n in range(ACCEPTED, ACCEPTED + DENIED)]
    assert operate("submit", write(tmp_path / "good.jsonl", good), "--batch", 1).code == 0
    assert len(stored(stack)) == ACCEPTED
    with denied(stack):
        assert operate("submit", write(tmp_path / "bad.jsonl", bad), "--batch", 1).code == 0
        assert len(stored(stack)) == ACCEPTED
    letters = json.loads(operate("dead-letters", "--json").out)
    assert {letter["id"] for letter in letters} == {one["id"] for one in bad}
    assert {letter["stage"] for letter in letters} == {"processor"}
    assert all("not authorized" in letter["error"] for letter in letters)

    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["sent to the processor"]) == (0, DENIED, DENIED)
    assert stored(stack) == Counter({one["id"]: 1 for one in good + bad})
    assert operate("dead-letters", "--count").out == "0\n"


def half_stamped(count: int) -> list[dict[str, Any]]:
    """Return records of which every other one has no timestamp."""
    return [record(n) if n % 2 else {"id": f"r-{n}", "data": {"n": n}} for n in range(count)]


def in_sight(stack: DeployedStack, *, all_letters: bool) -> None:
    """Wait until a letter or all of them can be received: those of a command that was killed can't for two seconds."""
    deadline = time.monotonic() + DEADLINE
    queue = DeadLetterQueue(stack.client("sqs"), stack.outputs.queue_url)
    while queue.depth().in_flight if all_letters else not queue.depth().visible:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_redrive_that_is_killed_again_and_again_stores_each_record_exactly_once(
    stack: DeployedStack, forkserver: Forkserver
) -> None:
    records = half_stamped(30)
    put_letters(stack, *records)
    redrive = ("redrive", "--yes", "--visibility-timeout", 2, "--rate", 25, "--parallel", 1)
    moments, killed = Moments(events_of(stack), seed=6, most=3), 0
    while killed < 5:
        in_sight(stack, all_letters=False)
        code = forkserver.run(*redrive, kill_when=moments.next())
        assert code in (-signal.SIGKILL, 1)  # 1: letters of one that was killed are out of sight for two seconds
        killed += code == -signal.SIGKILL
    in_sight(stack, all_letters=True)
    assert forkserver.run("redrive", "--yes") == 0
    assert stored(stack) == Counter({one["id"]: 1 for one in records})
    assert not stack.failures()


def test_a_submission_that_is_killed_again_and_again_stores_each_record_exactly_once(
    stack: DeployedStack, forkserver: Forkserver, tmp_path: Path
) -> None:
    records = half_stamped(40)
    path = write(tmp_path / "records.jsonl", records)
    submit = ("submit", path, "--timestamp", "now", "--batch", 1, "--rate", 40)
    moments = Moments(lines_of(Path(f"{path}.journal")), seed=7, most=3)
    for _ in range(8):
        assert forkserver.run(*submit, kill_when=moments.next()) == -signal.SIGKILL
    assert forkserver.run(*submit[:6]) == 0
    assert stored(stack) == Counter({one["id"]: 1 for one in records})
    assert [path] == list(tmp_path.glob("records*"))


def many(count: int) -> list[dict[str, Any]]:
    """Records that a batch holds some hundred of."""
    return [record(n, more="x" * 100) for n in range(count)]


def test_every_line_is_named_by_what_became_of_it(stack: DeployedStack, operate: Run, tmp_path: Path) -> None:
    records = many(400)
    for number in range(30, 45):
        records[number]["data"] = None  # the validator refuses it
    everything = write(tmp_path / "everything.jsonl", records)
    assert operate("submit", write(tmp_path / "submitted.jsonl", records[:395]), "--rate", 100_000).code == 0
    assert len(stored(stack)) == 380
    table = stack.client("dynamodb")
    for number in range(30):
        key = {"id": {"S": f"r-{number}"}, "timestamp": {"N": str(records[number]["timestamp"])}}
        if number < 20:
            table.delete_item(TableName=stack.outputs.table, Key=key)
        else:
            table.put_item(TableName=stack.outputs.table, Item={**key, "data": {"S": "{}"}})
    ran = operate("verify", everything, "--missing", tmp_path / "missing.jsonl")
    assert ran.code == 1
    assert ran.counts == {
        "stored": 350,
        "dead letter": 15,
        "refused": 0,
        "different": 10,
        "missing": 25,
        "unknown": 0,
    }
    missing = [json.loads(line)["id"] for line in (tmp_path / "missing.jsonl").read_text().splitlines()]
    assert missing == [f"r-{number}" for number in (*range(20), *range(395, 400))]

    assert operate("submit", tmp_path / "missing.jsonl").code == 0
    assert len(stored(stack)) == 385
    ran = operate("verify", everything)
    assert (ran.counts["stored"], ran.counts["missing"]) == (375, 0)


def test_a_submission_in_batches_that_is_killed_again_and_again_stores_each_record_exactly_once(
    stack: DeployedStack, forkserver: Forkserver, tmp_path: Path
) -> None:
    records = half_stamped(160)
    path = write(tmp_path / "records.jsonl", records)
    submit = ("submit", path, "--timestamp", "now", "--batch", 7)
    moments = Moments(lines_of(Path(f"{path}.journal")), seed=8, most=40)
    killed = 0
    while (code := forkserver.run(*submit, "--rate", 150, kill_when=moments.next())) == -signal.SIGKILL:
        killed += 1
    assert (code, killed >= 3) == (0, True)
    assert stored(stack) == Counter({one["id"]: 1 for one in records})


def test_a_split_redrive_that_is_killed_again_and_again_stores_each_record_exactly_once(
    stack: DeployedStack, forkserver: Forkserver
) -> None:
    records = half_stamped(30)
    put_letters(stack, *(records[start : start + 10] for start in range(0, 30, 10)))
    redrive = ("redrive", "--yes", "--split", "--visibility-timeout", 2, "--parallel", 1)
    moments = Moments(events_of(stack), seed=9, most=12)
    for _ in range(4):
        code = forkserver.run(*redrive, "--rate", 50, kill_when=moments.next())
        assert code in (-signal.SIGKILL, 0, 1)
    in_sight(stack, all_letters=True)
    assert forkserver.run("redrive", "--yes", "--split") == 0
    assert stored(stack) == Counter({one["id"]: 1 for one in records})
    assert not stack.failures()


def test_refused_records_of_a_batch_are_letters_that_go_back_to_the_entry_alone(
    stack: DeployedStack, operate: Run, tmp_path: Path
) -> None:
    conflicting = {**record(1), "data": "other"}
    refused = {**record(2), "data": None}
    path = write(tmp_path / "records.jsonl", [record(0), record(1), conflicting, refused])
    assert operate("submit", path).code == 0
    assert len(stored(stack)) == 2
    letters = {one["stage"]: one for one in json.loads(operate("dead-letters", "--json").out)}
    assert [(stage, letters[stage]["id"], letters[stage]["records"]) for stage in sorted(letters)] == [
        ("processor", "r-1", 1),
        ("validator", "r-2", 1),
    ]
    assert letters["validator"]["event"] == refused
    key = {"id": {"S": "r-1"}, "timestamp": {"N": str(record(1)["timestamp"])}}
    stack.client("dynamodb").delete_item(TableName=stack.outputs.table, Key=key)
    assert operate("redrive", "--yes", "--to", "entry").counts["sent to the validator"] == 2
    stored(stack)
    assert {item.id: item.data for item in stack.items()} == {"r-0": '{"n":0}', "r-1": '"other"'}
    (letter,) = json.loads(operate("dead-letters", "--json").out)
    assert letter["id"] == "r-2"


@pytest.mark.parametrize("options", [(), ("--split",), ("--to", "entry"), ("--to", "entry", "--split")])
def test_a_batch_that_the_table_denied_is_stored_once_whichever_way_it_is_redriven(
    stack: DeployedStack, operate: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    records = half_stamped(6)
    with denied(stack):
        assert operate("submit", write(tmp_path / "records.jsonl", records)).code == 0
        assert not stored(stack)
    (letter,) = json.loads(operate("dead-letters", "--json").out)
    assert (letter["stage"], letter["records"]) == ("processor", 6)
    stamps = {one["id"]: one["timestamp"] for one in letter["event"]["responsePayload"]}
    assert operate("redrive", "--yes", *options).code == 0
    assert stored(stack) == Counter({one["id"]: 1 for one in records})
    assert {item.id: item.timestamp for item in stack.items()} == stamps


def test_the_status_tells_what_is_deployed(stack: DeployedStack, operate: Run) -> None:
    put_letters(stack, record(1), record(2))
    ran = operate("status", "--json")
    status = json.loads(ran.out)
    assert ran.code == 0
    assert status["status"].endswith("_COMPLETE")
    assert status["dead_letters"] == {"visible": 2, "in_flight": 0, "records": 2}
    assert [alarm["name"] for alarm in status["alarms"]] == [f"{NAME}-dlq-messages-dev"]
    assert status["items"] == 0
    for function in status["functions"].values():
        assert [version["weight"] for version in function["versions"]] == [1.0]
        assert function["provisioned_concurrency"]["wanted"] == 0
    assert {"what": "2 dead letters wait", "do": "pipeline dead-letters"} in status["troubles"]
    assert operate("status", "--check").code == 1


def test_a_redrive_that_is_settled_waits_until_its_records_are_stored(
    stack: DeployedStack, operate: Run, tmp_path: Path
) -> None:
    with denied(stack):
        operate("submit", write(tmp_path / "records.jsonl", half_stamped(6)))
        stack.drain()
    put_letters(stack, {"id": "bad", "timestamp": 1})
    ran = operate("redrive", "--yes", "--settle", "--quiet", 20)
    assert (ran.code, ran.counts["stored"], ran.counts["dead letters again"]) == (1, 6, 1)
    assert ran.counts["still open"] == 0
    assert len(stack.items()) == 6
