"""What a million records cost: this stack beside the seed's two, per stage, from measured durations and log volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from bench import prices
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.endpoint import LATENCY, Endpoint, endpoint
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.rounds import interleave
from bench.harness.setup import Setup, variant
from bench.prices import Prices
from bench.results.figures import Plot, Row, Sample, Table

WARM_UP = 50
CALLS = 100

# What Lambda itself writes for each invocation where the system's log level is INFO or there is none, in bytes: the
# START, END and REPORT lines as text, and what CloudWatch counts for each line besides its text.
PLATFORM_LINES = 88 + 60 + 160
LINE_OVERHEAD = 26
TRACED = 0.05  # the share that X-Ray samples beyond the first request of each second

SEED, OPTIMIZED, PRODUCT = "the seed, first version", "the seed, improved", "this project"


@dataclass(frozen=True, kw_only=True)
class Billing:
    """What a stack is billed by, besides its durations; sizes in MB."""

    sizes: Mapping[str, int]
    arm: bool
    platform_lines: bool
    traced: bool
    on_demand: bool


def billings() -> dict[str, Billing]:
    """Return how each stack is billed: the seed's as they stand there, this one as the model has it."""
    names = ("validator", "enricher", "processor")
    seed: dict[str, Any] = {"arm": False, "platform_lines": True, "traced": False}
    sizes = {stage: configured.memory for stage, configured in stages().items()}
    return {
        SEED: Billing(sizes=dict.fromkeys(names, 3008), on_demand=False, **seed),
        OPTIMIZED: Billing(sizes=dict(zip(names, (512, 768, 512), strict=True)), on_demand=True, **seed),
        PRODUCT: Billing(sizes=sizes, on_demand=True, arm=True, platform_lines=False, traced=True),
    }


class Metered(NamedTuple):
    """What an invocation takes, on average, of what is billed."""

    duration: float
    """ms."""
    logged: float
    """Bytes, as CloudWatch counts them."""


def metered(
    function: MeasuredFunction, setup: Setup, memory: int, *, warm_up: int = WARM_UP, calls: int = CALLS
) -> Metered:
    """Call a function at the CPU of its size, and meter it once it is warm."""
    with started(function, setup.workspace, share_of(memory)) as lambda_:
        for _ in range(warm_up):
            lambda_.invoke(function)
        lambda_.logged()
        took = [lambda_.invoke(function) * 1000 for _ in range(calls)]
        lines = lambda_.logged()
        size = len(lines) + LINE_OVERHEAD * lines.count(b"\n")
        return Metered(sum(took) / calls, size / calls)


def costs(setup: Setup) -> list[Table]:
    """Model what a million records cost, of this stack and the seed's two, from durations measured here."""
    current = prices.load()
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots(), latency=LATENCY) as table:
        tables = {stage: _stage(setup, stage, table, current) for stage in stages()}
    return [*tables.values(), total(tables, current)]


def _stage(setup: Setup, stage: str, table: Endpoint, current: Prices) -> Table:
    variants = [
        variant(
            name,
            partial(setup.python if name == PRODUCT else setup.node, stage, environment=table.environment),
            partial(_measure, setup=setup, stage=stage, billing=billing, current=current),
            cpus=share_of(billing.sizes.get(stage, 0)),
        )
        for name, billing in billings().items()
    ]
    rows = interleave(variants, setup.rounds, setup.advance)
    return Table(name=f"cost-{stage}", title=f"A million records through the {stage}", peer=OPTIMIZED, rows=rows)


def _measure(function: MeasuredFunction, *, setup: Setup, stage: str, billing: Billing, current: Prices) -> Sample:
    memory = billing.sizes[stage]
    took = metered(function, setup, memory)
    size = took.logged + (PLATFORM_LINES + 3 * LINE_OVERHEAD) * billing.platform_lines
    return {
        "mean (ms)": took.duration,
        "log (bytes)": size,
        "compute (USD)": prices.compute(current, memory=memory, duration=took.duration, arm=billing.arm),
        "requests (USD)": prices.requests(current),
        "log (USD)": prices.logs(current, size=size),
    }


def total(tables: Mapping[str, Table], current: Prices) -> Table:
    """Add up what the stages cost, with what is paid besides."""
    return Table(
        name="cost",
        title="A million records (USD)",
        peer=OPTIMIZED,
        rows=[_total_row(name, billing, tables, current) for name, billing in billings().items()],
        notes=[
            current.remark,
            "Stages: compute, requests and logs. Table: items of up to 1 KB; the first version's table is provisioned, "
            "and counted as if it were always used in full, five records a second day and night.",
            f"Traces: X-Ray samples one request a second and {TRACED:.0%} beyond, of which the first is nothing where "
            f"many come; where less than one a second comes each is traced, which is "
            f"{prices.traces(current, share=1):.2f} USD. The seed's functions don't trace, and were never connected.",
        ],
        plot=Plot([*tables, "table", "traces"], "by what it is paid for"),
    )


def _total_row(name: str, billing: Billing, tables: Mapping[str, Table], current: Prices) -> Row:
    rows = {stage: table.row(name) for stage, table in tables.items()}
    if missing := next((row.missing for row in rows.values() if row.missing), ""):
        return Row(name=name, missing=missing)
    sample = {
        stage: sum(row.median(metric) or 0 for metric in row.metrics() if metric.endswith("(USD)"))
        for stage, row in rows.items()
    }
    sample["table"] = prices.writes(current) if billing.on_demand else prices.provisioned_writes(current)
    sample["traces"] = prices.traces(current, share=TRACED) if billing.traced else 0.0
    return Row(name=name, samples=[{**sample, "total": sum(sample.values())}])
