"""The command `export`, against the embedded AWS."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.deployed import DeployedStack

from ..conftest import Ran
from ..stack.samples import record

Run = Callable[..., Ran]
Write = Callable[..., Path]
HARD: list[dict[str, Any]] = [
    record(1, data=[1.10, 1e-9, 6.02214076e23, 9007199254740991, 1.5]),
    record(2, data={"b": None, "a": {"ü": '\u2028 \U0001f382 \x00 "\\'}}),
    record(3, data="x" * 100_000),
    {"id": "ü/ ' \" \\ %", "timestamp": 999_999_999_999_999, "data": False},
]


def canonical(lines: str) -> set[str]:
    return {json.dumps(json.loads(line), sort_keys=True) for line in lines.split("\n") if line}


def test_what_was_submitted_is_exported_and_submitted_again_changes_nothing(
    stack: DeployedStack, embedded: DeployedStack, operate: Run, records: Write, tmp_path: Path
) -> None:
    given = records(*HARD, *(record(n) for n in range(10, 200)))
    assert operate("submit", given).code == 0
    stack.drain()
    before = sorted(stack.items())
    path = tmp_path / "exported.jsonl"
    ran = operate("export", "-o", path, "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"records": 194, "file": str(path)})
    assert canonical(path.read_text()) == canonical(given.read_text())
    assert operate("submit", path).code == 0
    stack.drain()
    assert (sorted(stack.items()), stack.failures()) == (before, [])


def test_one_id_since_a_time_and_another_table(
    stack: DeployedStack, embedded: DeployedStack, operate: Run, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PIPELINE_STACK", "none")
    stack.submit([record(1), record(2), record(1, timestamp=1_800_000_000_000)])
    stack.drain()
    table = stack.outputs.table
    assert operate("export", "--id", "r-1").code == 3

    def exported(*arguments: str) -> list[tuple[str, int]]:
        ran = operate("export", "--table", table, *arguments)
        assert ran.code == 0
        return sorted((one["id"], one["timestamp"]) for one in map(json.loads, ran.out.splitlines()))

    assert exported("--id", "r-1") == [("r-1", 1_700_000_000_001), ("r-1", 1_800_000_000_000)]
    assert exported("--since", "2026-01-01") == [("r-1", 1_800_000_000_000)]
    assert exported("--id", "r-1", "--since", "2026-01-01") == [("r-1", 1_800_000_000_000)]
    assert exported("--id", "r-9") == []


def test_a_reader_that_ends_early_is_no_fault(stack: DeployedStack, embedded: DeployedStack) -> None:
    stack.submit(*([record(n, data="x" * 2000) for n in range(start, start + 100)] for start in (0, 100, 200)))
    stack.drain()
    program = f"{sys.executable} -m pipeline export --rate 1000 | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr.startswith("The reader of the output ended after ")


def test_what_can_not_be_asked_is_misuse(operate: Run) -> None:
    assert operate("export", "--json").error == "--json tells of a file: give one by -o."
    assert operate("export", "--id", "").code == 2


def test_a_restored_table_brings_back_what_was_deleted_and_changes_nothing_else(
    stack: DeployedStack, embedded: DeployedStack, operate: Run, records: Write
) -> None:
    """As the runbook has it, but for the time: the embedded AWS restores what is there."""
    table, client = stack.outputs.table, stack.client("dynamodb")
    assert operate("submit", records(*(record(n) for n in range(1, 31))), "--settle").code == 0
    before = {(item.id, item.timestamp, item.data) for item in stack.items()}
    client.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName="restored", UseLatestRestorableTime=True
    )
    for item in stack.items()[:10]:
        client.delete_item(TableName=table, Key={"id": {"S": item.id}, "timestamp": {"N": str(item.timestamp)}})
    path = records(*operate("export", "--table", "restored").out.splitlines(), name="restored.jsonl")
    client.delete_table(TableName="restored")
    ran = operate("submit", path, "--settle")
    assert ran.code == 0, ran
    assert ({(item.id, item.timestamp, item.data) for item in stack.items()}, stack.failures()) == (before, [])
