"""The benches by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from bench import costs, generation, pipeline, sizes, starts
from bench.figures import Table
from bench.handlers import Setup

BENCHES: dict[str, Callable[[Setup], list[Table]]] = {
    "generate": generation.generation,
    "cold": starts.cold,
    "stages": starts.stages,
    "first-call": starts.first_call,
    "warm": starts.warm,
    "sizes": sizes.sizes,
    "cost": costs.costs,
    "pipeline": pipeline.pipeline,
}
