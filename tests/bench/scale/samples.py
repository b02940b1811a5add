"""Simulations and durations for the tests: small, with round figures."""

from __future__ import annotations

from typing import Any

from bench.scale.durations import Duration, Durations
from bench.scale.outcome import Outcome
from bench.scale.queues import Stage
from bench.scale.simulation import Load, Platform, Simulation, steps
from bench.scale.table import Table

STAGES = (Stage(name="first", duration=0.001, retries=0), Stage(name="last", duration=0.009))

DURATIONS: Durations = {
    1: {
        "validator": Duration(warm=0.001, cold=0.2, logged=240, event=240),
        "enricher": Duration(warm=0.001, cold=0.2, logged=240, event=860),
        "processor": Duration(warm=0.008, cold=0.3, logged=240, event=1500),
    },
    100: {
        "validator": Duration(warm=0.004, cold=0.2, logged=240, event=24_000),
        "enricher": Duration(warm=0.004, cold=0.2, logged=240, event=50_000),
        "processor": Duration(warm=0.050, cold=0.3, logged=240, event=80_000),
    },
}


def run(
    load: Load, until: float, *stages: Stage, table: Table | None = None, until_empty: bool = False, **platform: Any
) -> Outcome:
    """Simulate a load through stages for so many seconds."""
    simulation = Simulation(stages or STAGES, load, platform=Platform(**platform), table=table or Table())
    return simulation.run(steps(until), until_empty=until_empty)
