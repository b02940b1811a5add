"""Simulations and durations for the tests: small, with round figures."""

from __future__ import annotations

from typing import Any

from bench.harness.configured import stages
from bench.scale.durations import Duration, Durations
from bench.scale.outcome import Outcome
from bench.scale.queues import Stage
from bench.scale.simulation import Load, Platform, Simulation, steps
from bench.scale.table import Table

STAGES = (Stage(name="first", duration=0.001, retries=0), Stage(name="last", duration=0.009))


def durations(*, computing: float, storing: float, event: float) -> dict[str, Duration]:
    """Return what each stage of the model takes: all compute, but for the last, which stores."""
    *others, last = stages()
    computes = Duration(warm=computing, cold=0.2, logged=240, event=event)
    return {**dict.fromkeys(others, computes), last: Duration(warm=storing, cold=0.3, logged=240, event=event)}


DURATIONS: Durations = {
    1: durations(computing=0.001, storing=0.008, event=1000),
    100: durations(computing=0.004, storing=0.050, event=50_000),
}


def run(
    load: Load, until: float, *stages: Stage, table: Table | None = None, until_empty: bool = False, **platform: Any
) -> Outcome:
    """Simulate a load through stages for so many seconds."""
    simulation = Simulation(stages or STAGES, load, platform=Platform(**platform), table=table or Table())
    return simulation.run(steps(until), until_empty=until_empty)
