"""Memory sizes: each function's duration and peak memory at the CPU that Lambda gives, and what a million runs cost."""

from __future__ import annotations

from functools import partial
from statistics import median

from bench import prices
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.endpoint import LATENCY, Endpoint, endpoint
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.rounds import interleave
from bench.harness.setup import Setup, variant
from bench.results.figures import Plot, Row, Sample, Table, percentile

SIZES = (128, 256, 512, 768, 1024, 1769)  # MB
WARM_UP = 20
CALLS = 100
KNEE = 1.1  # the smallest size from which on no other is more than 10 % faster


def sizes(setup: Setup) -> list[Table]:
    """Measure duration and peak memory at Lambda's sizes, and what a million runs cost at each."""
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots(), latency=LATENCY) as table:
        return [_stage(setup, stage, table) for stage in stages()]


def _stage(setup: Setup, stage: str, table: Endpoint) -> Table:
    configured = stages()[stage].memory
    variants = [
        variant(
            _name(memory),
            lambda: setup.python(stage, environment=table.environment),
            partial(_measure, setup=setup, memory=memory),
            cpus=share_of(memory),
        )
        for memory in sorted({*SIZES, configured})
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    return Table(
        name=f"sizes-{stage}",
        title=f"The {stage} at Lambda's sizes",
        peer=_name(configured),
        rows=rows,
        notes=[advice(rows, configured)],
        plot=Plot(("cold (ms)",), "ms of a cold start", (_name(configured),)) if stage == "processor" else None,
    )


def _measure(function: MeasuredFunction, *, setup: Setup, memory: int) -> Sample:
    with started(function, setup.workspace, share_of(memory)) as lambda_:
        cold = lambda_.init + lambda_.invoke(function)
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        took = [lambda_.invoke(function) * 1000 for _ in range(CALLS)]
        p50, p99 = median(took), percentile(took, 0.99)
        return {
            "cold (ms)": cold * 1000,
            "p50 (ms)": p50,
            "p99 (ms)": p99,
            "peak (MB)": lambda_.peak(),
            "a million (USD)": prices.compute(prices.load(), memory=memory, duration=sum(took) / len(took)),
        }


def advice(rows: list[Row], configured: int) -> str:
    """Say which size is the cheapest, and from which on more memory hardly helps."""
    measured = {row.name: row for row in rows if row.samples}
    if not measured:
        return "Nothing was measured, so nothing is suggested."
    cost = {name: row.median("a million (USD)") or 0 for name, row in measured.items()}
    time = {name: row.median("p50 (ms)") or 0 for name, row in measured.items()}
    cheapest = min(cost, key=lambda name: cost[name])
    knee = next(name for name in time if time[name] <= KNEE * min(time.values()))
    return f"Cheapest: {cheapest}. Knee: {knee}. The model has {_name(configured)}."


def _name(memory: int) -> str:
    return f"{memory} MB"
