"""The embedded AWS: how many records a second pass the whole pipeline on this machine, from nothing to the report."""

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from bench.harness.installed import ROOT
from bench.harness.records import sized
from bench.harness.setup import Setup, Variant
from bench.results.figures import Goal, Sample, Table

SINGLE, BATCHES = "1000 records", "20000 records, 100 an event"
RUNS = {"100 records": (100, ()), SINGLE: (1000, ()), BATCHES: (20_000, ("--batch", "100"))}
RATE = "records/s"


def pipeline(setup: Setup) -> list[Table]:
    """Measure the records per second through the embedded AWS, from one event for each record and in batches."""
    variants = [
        Variant(name=name, measure=partial(run, count, options, setup.folder("pipeline")))
        for name, (count, options) in RUNS.items()
    ]
    goals = [
        Goal(variant=SINGLE, metric=RATE, at_least=60),
        Goal(variant=BATCHES, metric=RATE, at_least=1500),
        Goal(variant=BATCHES, metric=RATE, against=SINGLE, at_least=15),
    ]
    title = "The pipeline on the embedded AWS, each time from nothing"
    return [Table(name="pipeline", title=title, peer=SINGLE, rows=setup.interleave(variants), goals=goals)]


def run(count: int, options: tuple[str, ...], folder: Path) -> Sample:
    """Run the command on so many records, and read its report."""
    records, report = folder / "records.jsonl", folder / "report.json"
    records.write_text("".join(json.dumps(sized(index)) + "\n" for index in range(count)), encoding="utf-8")
    command = [sys.executable, "-m", "pipeline", "run", str(records), "--report", str(report), *options]
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    took = time.perf_counter() - began
    outcome = json.loads(report.read_text(encoding="utf-8"))
    seconds = float(outcome["seconds"])
    return {RATE: outcome["stored"] / seconds, "pipeline (s)": seconds, "the rest (s)": took - seconds}
