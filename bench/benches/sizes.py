"""Memory sizes: each function's duration and peak memory at the CPU that Lambda gives, and what a million runs cost."""

from collections.abc import Mapping
from functools import partial
from statistics import median, quantiles

from bench import prices
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.setup import Setup, variant
from bench.results.figures import Sample, Table

SIZES = (128, 256, 512, 768, 1024, 1769)  # MB
WARM_UP, CALLS = 20, 100


def sizes(setup: Setup) -> list[Table]:
    """Measure duration and peak memory at Lambda's sizes, and what a million runs cost at each."""
    with setup.table() as table:
        return [_stage(setup, stage, table) for stage in stages()]


def _stage(setup: Setup, stage: str, table: Mapping[str, str]) -> Table:
    configured = stages()[stage].memory
    make = partial(setup.python, stage, environment=table)
    variants = [
        variant(f"{memory} MB", make, partial(_measure, setup, memory), cpus=share_of(memory))
        for memory in sorted({*SIZES, configured})
    ]
    rows, title = setup.interleave(variants), f"The {stage} at Lambda's sizes; the model's is the one of ratio 1"
    return Table(name=f"sizes-{stage}", title=title, peer=f"{configured} MB", rows=rows)


def _measure(setup: Setup, memory: int, function: MeasuredFunction) -> Sample:
    with started(function, setup.workspace, share_of(memory)) as lambda_:
        cold = lambda_.init + lambda_.invoke(function)
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        took = [lambda_.invoke(function) * 1000 for _ in range(CALLS)]
        return {
            "cold (ms)": cold * 1000,
            "p50 (ms)": median(took),
            "p99 (ms)": quantiles(took, n=100)[98],
            "peak (MB)": lambda_.peak(),
            "a million (USD)": prices.runs(prices.load(), memory, sum(took) / CALLS, 0)["compute"],
        }
