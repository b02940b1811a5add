"""The embedded AWS: how many records a second pass the whole pipeline on this machine, and where the time goes."""

from __future__ import annotations

import io
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.harness.processes import running, seconds_by_generation
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Sample, Table
from local.embedded import Options
from local.errors import LocalError
from local.records import read_lines
from local.run import deployed, feed

COUNTS = (100, 1000)
FLOOR = 60
"""Records a second that 1,000 records have to pass with, on two processors."""
STEP = re.compile(r"^(\w+) +([\d.]+) s$", re.MULTILINE)
PROCESSES = ("submitting (CPU s)", "server (CPU s)", "functions (CPU s)")
"""This process, its child (the embedded AWS) and its grandchildren (the functions' interpreters)."""
TEXT = "x" * 200
"""Makes a record of about 250 bytes."""


def pipeline(setup: Setup) -> list[Table]:
    """Measure the records per second through the embedded AWS, how long each step takes, and which process computes."""
    variants = [
        Variant(name=f"{count} records", measure=partial(_run, count, setup.folder(f"{count}"))) for count in COUNTS
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    title = "The pipeline on the embedded AWS, each time from nothing"
    found = rows[-1].median("records/s") or 0
    notes = [f"{'met' if found >= FLOOR else 'missed'}: {variants[-1].name}, at least {FLOOR} a second"]
    return [Table(name="pipeline", title=title, peer=variants[0].name, rows=rows, notes=notes)]


def _run(count: int, folder: Path) -> Sample:
    records = folder / "records.jsonl"
    records.write_text("".join(_record(index) for index in range(count)), encoding="utf-8")
    lines = read_lines(records)
    output = io.StringIO()
    console = Console(file=output)
    began = time.perf_counter()
    with deployed(Options(), console) as (aws, stack):
        before = seconds_by_generation(os.getpid(), running())
        report = feed(aws, stack, lines, console)
        after = seconds_by_generation(os.getpid(), running())
    if report.problems:
        raise LocalError("; ".join(report.problems))
    return figures(report.document(), output.getvalue(), time.perf_counter() - began) | _used(before, after)


def figures(report: Mapping[str, Any], output: str, took: float) -> dict[str, float]:
    """Take a run's figures from its report, and its steps' seconds from what it printed."""
    steps = {f"{name} (s)": float(seconds) for name, seconds in STEP.findall(output)}
    return {"records/s": report["records_per_second"], **steps, "pipeline (s)": report["seconds"], "all (s)": took}


def _used(before: Sequence[float], after: Sequence[float]) -> dict[str, float]:
    used = [end - start for end, start in zip_longest(after, before, fillvalue=0.0)]
    return dict(zip(PROCESSES, used, strict=False))


def _record(index: int) -> str:
    data = {"total": index, "text": TEXT}
    return json.dumps({"id": f"bench-{index}", "timestamp": 1767225600000 + index, "data": data}) + "\n"
