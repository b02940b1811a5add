"""What each stage takes on an event, measured at the CPU that Lambda gives it: the simulation's input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple, Self

from bench.benches.batches import chained
from bench.benches.costs import metered
from bench.harness.configured import stages
from bench.harness.cpu import share_of, unlimited_reason
from bench.harness.endpoint import LATENCY, endpoint
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.rounds import Variant, interleave
from bench.harness.setup import Setup
from bench.results.figures import Row, Sample, Table

SIZES = {1: "1 record", 100: "100 records"}
"""The records in an event."""
CALLS, WARM_UP = 50, 10


class Duration(NamedTuple):
    """One stage's figures for an event of one size."""

    warm: float
    """Seconds."""
    cold: float
    """Seconds that an instance takes to start."""
    logged: float
    """Bytes."""
    event: float
    """Bytes."""

    def sample(self, stage: str) -> Sample:
        """Return it as figures of a bench."""
        return {
            f"{stage} (ms)": self.warm * 1000,
            f"{stage}, init (ms)": self.cold * 1000,
            f"{stage}, log (bytes)": self.logged,
            f"{stage}, event (KB)": self.event / 1024,
        }

    @classmethod
    def of(cls, row: Row, stage: str) -> Self:
        """Read the medians of a stage off a row of figures."""
        warm, cold, logged, event = (row.median(metric) or 0.0 for metric in cls(0, 0, 0, 0).sample(stage))
        return cls(warm / 1000, cold / 1000, logged, event * 1024)


Durations = Mapping[int, Mapping[str, Duration]]
"""By the records in an event, and by stage."""


def measure(setup: Setup) -> Table:
    """Measure each stage with one record and with a batch; the table answers as slowly as DynamoDB does."""
    reason = unlimited_reason()
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots(), latency=LATENCY) as table:
        functions = {stage: setup.python(stage, environment=table.environment) for stage in stages()}
        variants = [
            Variant(
                name=name,
                measure=None if reason else partial(_measure, chained(functions, size, setup), setup),
                missing=reason,
            )
            for size, name in SIZES.items()
        ]
        rows = interleave(variants, setup.rounds, setup.advance)
    return Table(
        name="scale-durations",
        title="What the simulation takes for granted",
        rows=rows,
        notes=[
            "At the CPU that Lambda gives each function's size; DynamoDB answers a write after 4 ms, 25 after 10 ms."
        ],
    )


def _measure(functions: Mapping[str, MeasuredFunction], setup: Setup) -> Sample:
    sample: dict[str, float] = {}
    for stage, function in functions.items():
        memory = stages()[stage].memory
        with started(function, setup.workspace, share_of(memory)) as lambda_:
            cold = lambda_.init
        took = metered(function, setup, memory, warm_up=WARM_UP, calls=CALLS)
        event = len(json.dumps(function.event, separators=(",", ":")))
        sample |= Duration(took.duration / 1000, cold, took.logged, event).sample(stage)
    return sample


def read(table: Table) -> Durations | None:
    """Return the medians; None where they could not be measured here."""
    if any(row.missing for row in table.rows):
        return None
    return {size: {stage: Duration.of(table.row(name), stage) for stage in stages()} for size, name in SIZES.items()}
