"""What is measured: the benches by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from bench.benches import costs, generation, pipeline, sizes, starts
from bench.harness.setup import Setup
from bench.results.figures import Table

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
