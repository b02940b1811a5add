"""Starts and calls: each goal is set on what is in its table; what can't be had here becomes a row that says why."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.benches import pipeline, starts
from bench.harness.setup import Setup, Variant
from bench.results.figures import Table

Bench = Callable[[Setup], list[Table]]


@contextmanager
def nowhere(*_: Any, **__: Any) -> Iterator[dict[str, str]]:
    yield {}


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Setup:
    """A set-up in which nothing is started: every variant is measured as 1 ms and 1 MB."""
    sample = dict.fromkeys(("cold (ms)", "first call (ms)", "p50 (ms)", "p99 (ms)", "peak (MB)"), 1.0)

    def variant(name: str, *_: Any, **__: Any) -> Variant:
        return Variant(name=name, measure=lambda: sample)

    monkeypatch.setattr(starts, "variant", variant)
    monkeypatch.setattr(Setup, "table", nowhere)
    return Setup(rounds=1, workspace=tmp_path, console=Console(quiet=True), advance=lambda _: None)


@pytest.mark.parametrize("bench", [starts.cold, starts.starts, starts.first_call, starts.warm])
def test_each_goal_is_set_on_what_is_in_its_table(bench: Bench, setup: Setup) -> None:
    tables = bench(setup)
    assert tables
    for table in tables:
        assert table.row(table.peer)
        assert table.goals
        assert all(table.reached(goal) == 1 for goal in table.goals)


def test_the_figures_of_the_embedded_aws_are_of_its_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []

    def command(arguments: list[str], **_: Any) -> None:
        seen.extend(arguments)
        Path(arguments[arguments.index("--report") + 1]).write_text(json.dumps({"stored": 20, "seconds": 4.0}))

    monkeypatch.setattr(subprocess, "run", command)
    sample = pipeline.run(20, ("--batch", "10"), tmp_path)
    assert (sample["records/s"], sample["pipeline (s)"]) == (5, 4)
    assert seen[-2:] == ["--batch", "10"]
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 20
