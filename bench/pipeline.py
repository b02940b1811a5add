"""The embedded AWS: how many records a second pass the whole pipeline on this machine, and where the time goes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.figures import Sample, Table
from bench.handlers import Setup
from bench.installed import ROOT
from bench.rounds import Variant, interleave

COUNTS = (50, 200)
STEP = re.compile(r"^(\w+) +([\d.]+) s$", re.MULTILINE)


def pipeline(setup: Setup) -> list[Table]:
    """Measure the records per second through the embedded AWS, and how long each step of a run takes."""
    variants = [
        Variant(name=f"{count} records", measure=partial(_run, count, setup.folder(f"{count}"))) for count in COUNTS
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    title = "The pipeline on the embedded AWS, from nothing"
    return [Table(name="pipeline", title=title, peer=variants[0].name, rows=rows)]


def _run(count: int, folder: Path) -> Sample:
    records, report = folder / "records.jsonl", folder / "report.json"
    records.write_text("".join(_record(index) for index in range(count)), encoding="utf-8")
    command = [sys.executable, "-m", "local", "run", str(records), "--report", str(report)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    took = time.perf_counter() - began
    return figures(json.loads(report.read_text(encoding="utf-8")), done.stdout, took)


def figures(report: Mapping[str, Any], output: str, took: float) -> Sample:
    """Take a run's figures from its report, and its steps' seconds from what it printed."""
    steps = {f"{name} (s)": float(seconds) for name, seconds in STEP.findall(output)}
    return {"records/s": report["records_per_second"], **steps, "pipeline (s)": report["seconds"], "all (s)": took}


def _record(index: int) -> str:
    return json.dumps({"id": f"bench-{index}", "timestamp": 1767225600000 + index, "data": {"total": index}}) + "\n"
