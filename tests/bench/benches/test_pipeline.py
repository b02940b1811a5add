"""The embedded AWS' figures: from the report that the command writes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.benches.pipeline import run


def fake(report: dict[str, Any], seen: list[str]) -> Any:
    """Stand in for the command: note its arguments, and write a report where it was told to."""

    def command(arguments: list[str], **_: Any) -> None:
        seen.extend(arguments)
        Path(arguments[arguments.index("--report") + 1]).write_text(json.dumps(report))

    return command


def test_the_figures_are_those_of_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []
    monkeypatch.setattr(subprocess, "run", fake({"stored": 20, "seconds": 4.0}, seen))
    sample = run(20, ("--batch", "10"), tmp_path)
    assert sample["records/s"] == 5
    assert sample["pipeline (s)"] == 4
    assert seen[-2:] == ["--batch", "10"]
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 20
