"""What a million records cost: this stack beside the seed's two, per stage, from measured durations and log volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bench import prices
from bench.benches.sizes import TABLE_LATENCY
from bench.harness.cpu import share_of
from bench.harness.endpoint import endpoint
from bench.harness.lambdas import Function, started
from bench.harness.rounds import interleave
from bench.harness.setup import Setup, variant
from bench.prices import Prices
from bench.results.figures import Row, Sample, Table

STAGES = ("validator", "enricher", "processor")
WARM_UP = 50
CALLS = 100

# What Lambda itself writes for each invocation where the system's log level is INFO or there is none, in bytes: the
# START, END and REPORT lines as text, and what CloudWatch counts for each line besides its text.
PLATFORM_LINES = 88 + 60 + 160
LINE_OVERHEAD = 26
TRACED = 0.05  # the share that X-Ray samples by default, of the stacks that trace

SEED, OPTIMIZED, PRODUCT = "the seed, first version", "the seed, improved", "this project"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What a stack costs by, besides its durations."""

    sizes: Mapping[str, int]
    arm: bool
    platform_lines: bool
    traced: bool
    on_demand: bool


STACKS = {
    SEED: Stack(sizes=dict.fromkeys(STAGES, 3008), arm=False, platform_lines=True, traced=False, on_demand=False),
    OPTIMIZED: Stack(
        sizes={"validator": 512, "enricher": 768, "processor": 512},
        arm=False,
        platform_lines=True,
        traced=False,
        on_demand=True,
    ),
    PRODUCT: Stack(
        sizes={"validator": 512, "enricher": 768, "processor": 512},
        arm=True,
        platform_lines=False,
        traced=True,
        on_demand=True,
    ),
}


def costs(setup: Setup) -> list[Table]:
    """Model what a million records cost, of this stack and the seed's two, from durations measured here."""
    current = prices.load()
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots()) as table:
        tables = [_stage(setup, stage, table.environment, current) for stage in STAGES]
    return [*tables, _total(tables, current)]


def _stage(setup: Setup, stage: str, environment: Mapping[str, str], current: Prices) -> Table:
    variants = [
        variant(
            name,
            partial(_function(setup, name), stage, environment=environment),
            partial(_measure, setup=setup, stage=stage, stack=stack, current=current),
            cpus=min(share_of(stack.sizes[stage]), 1.999),
        )
        for name, stack in STACKS.items()
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    return Table(name=f"cost-{stage}", title=f"A million records through the {stage}", peer=OPTIMIZED, rows=rows)


def _function(setup: Setup, name: str) -> Callable[..., Function]:
    return setup.python if name == PRODUCT else setup.node


def _measure(function: Function, *, setup: Setup, stage: str, stack: Stack, current: Prices) -> Sample:
    memory = stack.sizes[stage]
    with started(function, setup.workspace, min(share_of(memory), 1.999)) as lambda_:
        for _ in range(WARM_UP):
            lambda_.invoke(function)
        before = lambda_.logged()
        took = [lambda_.invoke(function) * 1000 for _ in range(CALLS)]
        logged = (lambda_.logged() - before) / CALLS
    duration = sum(took) / CALLS + TABLE_LATENCY.get(stage, 0)
    size = logged + LINE_OVERHEAD * bool(logged) + (PLATFORM_LINES + 3 * LINE_OVERHEAD) * stack.platform_lines
    return {
        "mean (ms)": duration,
        "log (bytes)": size,
        "compute (USD)": prices.compute(current, memory=memory, duration=duration, arm=stack.arm),
        "requests (USD)": prices.requests(current),
        "log (USD)": prices.logs(current, size=size),
    }


def _total(tables: list[Table], current: Prices) -> Table:
    rows = [_total_row(name, stack, tables, current) for name, stack in STACKS.items()]
    notes = [
        f"Prices of {current.region}, {current.date}, without free tiers: bench/prices.json.",
        "Stages: compute, requests and logs. Table: items of up to 1 KB; the first version's table is provisioned, "
        "and counted as if it were always used in full, five records a second day and night.",
        f"Traces: X-Ray samples {TRACED:.0%}. The seed's functions don't trace, and were never connected.",
        "Not counted: what runs whether or not records come (provisioned concurrency, alarms), storage, data transfer.",
    ]
    return Table(name="cost", title="A million records (USD)", peer=OPTIMIZED, rows=rows, notes=notes)


def _total_row(name: str, stack: Stack, tables: list[Table], current: Prices) -> Row:
    stages = {stage: table.row(name) for stage, table in zip(STAGES, tables, strict=True)}
    if missing := next((row.missing for row in stages.values() if row.missing), ""):
        return Row(name=name, missing=missing)
    sample = {stage: sum(row.median(metric) or 0 for metric in row.metrics() if metric.endswith("(USD)"))
              for stage, row in stages.items()}  # fmt: skip
    sample["table"] = prices.writes(current) if stack.on_demand else prices.provisioned_writes(current)
    sample["traces"] = prices.traces(current, share=TRACED) if stack.traced else 0.0
    return Row(name=name, samples=[{**sample, "total": sum(sample.values())}])
