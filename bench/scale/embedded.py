"""The simulation held to the embedded AWS: at a scale where both can run, records a second and losses are compared.

The embedded AWS is one process that handles one thing at a time, which to the simulation is an account with one place.
How long it takes to start, for an event and for a record of a batch is taken from three small runs; the runs that are
compared are larger, have other batches, or meet faults.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from bench.benches import pipeline
from bench.harness.configured import stages
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Goal, Plot, Sample, Table
from bench.scale.outcome import Outcome
from bench.scale.queues import Stage
from bench.scale.scenarios import retries
from bench.scale.simulation import Load, Platform, Simulation
from bench.scale.table import Table as DataTable
from pipeline.local.asynchronous import DEFAULT_MINUTE, KINDS, Result

STEP = 0.05
"""Seconds of a step."""
FEW, MORE = 100, 1_000
"""Single records of the runs that the costs are taken from."""
BATCHED, BATCH = 5_000, 25
"""Records of a third one, and of each of its events: as many events as the run that is compared, so that as
many interpreters are started."""
EMBEDDED, SIMULATED, RATIO = "embedded (records/s)", "simulated (records/s)", "simulated / embedded"
WITHIN = 0.8, 1.25
"""A fifth more or less."""


class Run(NamedTuple):
    """A run of both: how many records, how many in an event, and the share of the calls that meet a fault."""

    records: int
    size: int = 1
    faults: float = 0.0

    @property
    def options(self) -> tuple[str, ...]:
        """Say the same to `pipeline run`."""
        batch = ("--batch", str(self.size)) if self.size > 1 else ()
        return (*batch, *(("--fail-rate", str(self.faults)) if self.faults else ()))


RUNS = {
    "2,500 records": Run(2_500),
    "1,500 records, a tenth of the calls fails": Run(1_500, faults=0.1),
    "10,000 records, 50 an event": Run(10_000, size=50),
}


@dataclass
class Costs:
    """What the embedded AWS takes, in seconds: to start, for an event, for a record of a batch; all stages together."""

    start: float = 0.0
    event: float = 0.0
    record: float = 0.0

    def learn(self, few: float, more: float, batched: float) -> None:
        """Take them from how long the three runs took."""
        self.event = max(1e-4, (more - few) / (MORE - FEW))
        self.start = max(0.0, few - FEW * self.event)
        self.record = max(0.0, (batched - self.start - BATCHED / BATCH * self.event) / BATCHED)


def compared(setup: Setup) -> list[Table]:
    """Hold the simulation to the embedded AWS: records a second and dead letters of both, in three configurations."""
    costs = Costs()
    folder = setup.folder("embedded")
    variants = [Variant(name="what the embedded AWS takes", measure=partial(_learn, costs, folder))]
    variants += [Variant(name=name, measure=partial(_compare, run, costs, folder)) for name, run in RUNS.items()]
    least, most = WITHIN
    return [
        Table(
            name="scale-embedded",
            title="The simulation and the embedded AWS",
            rows=interleave(variants, setup.rounds, setup.advance),
            goals=[
                goal
                for name in RUNS
                for goal in (
                    Goal(variant=name, metric=RATIO, at_least=least),
                    Goal(variant=name, metric=RATIO, at_most=most),
                )
            ],
            notes=["Lost: none in any run, of either; a run of the embedded AWS that loses a record fails."],
            plot=Plot((EMBEDDED,), "records a second"),
        )
    ]


def _learn(costs: Costs, folder: Path) -> Sample:
    few, more, batched = (_embedded(run, folder) for run in (Run(FEW), Run(MORE), Run(BATCHED, BATCH)))
    costs.learn(few["seconds"], more["seconds"], batched["seconds"])
    return {"start (s)": costs.start, "event (ms)": costs.event * 1000, "batched record (ms)": costs.record * 1000}


def _compare(run: Run, costs: Costs, folder: Path) -> Sample:
    report = _embedded(run, folder)
    outcome = simulate(run, costs)
    embedded, simulated = run.records / report["seconds"], run.records / (costs.start + outcome.moments[-1].time)
    return {
        EMBEDDED: embedded,
        SIMULATED: simulated,
        RATIO: simulated / embedded,
        "dead letters": len(report["dead_letters"]),
        "simulated dead letters": sum(outcome.dead.values()) * run.size,
        "lost": report["lost"],
    }


def _embedded(run: Run, folder: Path) -> dict[str, Any]:
    """Run it on the embedded AWS, and return the report."""
    pipeline.run(run.records, run.options, folder)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def simulate(run: Run, costs: Costs) -> Outcome:
    """Simulate the same, with all events there at once, as they are to a server that is slower than its producer."""
    events = run.records / run.size
    duration = (costs.event + (costs.record * run.size if run.size > 1 else 0.0)) / len(stages())
    failing = run.faults * KINDS.count(Result.FUNCTION_ERROR) / len(KINDS)
    throttled = run.faults - failing
    simulation = Simulation(
        [Stage(name=name, duration=duration, retries=retries()[name]) for name in stages()],
        Load(events / STEP, STEP),
        platform=Platform(
            concurrency=1,
            new_instances=math.inf,
            second=DEFAULT_MINUTE / 60,
            refuses=False,
            failing=failing / (1 - throttled),
            throttled=throttled,
        ),
        table=DataTable(),
    )
    return simulation.run(_steps(), until_empty=True)


def _steps() -> Iterator[tuple[float, float]]:
    return ((index * STEP, STEP) for index in count())
