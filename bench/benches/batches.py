"""Batches: what each stage takes on an event, how many records a processor stores a second, what a million cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bench import prices
from bench.benches.costs import Functions, metered
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.lambdas import started
from bench.harness.records import enveloped, sized
from bench.harness.setup import Setup, variant
from bench.results import document
from bench.results.figures import Goal, Row, Sample, Table

SIZES = (1, 10, 25, 100, 250)
CALLS, WARM_UP = 50, 10
RATE = "records/s"

# By the records in an event: ms, ms of init, bytes of log and KB of the event, of each stage.
Durations = Mapping[int, Sample]


def published() -> Durations:
    """Return the durations that RESULTS.md has."""
    rows = document.figures(document.FILE.read_text(encoding="utf-8"), "durations")
    return {_size(name): row for name, row in rows.items()}


def batches(setup: Setup) -> list[Table]:
    """Measure what each stage takes on an event, a processor's rate, and what a million records cost, by batch."""
    with setup.table() as table:
        functions = {stage: setup.python(stage, environment=table) for stage in stages()}
        made = {size: partial(chained, functions, size, setup) for size in SIZES}
        cpus = share_of(min(configured.memory for configured in stages().values()))
        variants = [
            variant(_name(size), make, partial(_measure, setup, size), cpus=cpus) for size, make in made.items()
        ]
        rows = setup.interleave(variants)
    notes = ["At the CPU that Lambda gives each size; DynamoDB answers a write after 4 ms, 25 after 10 ms.",
             "Records/s: of one processor, one event after the other."]  # fmt: skip
    goals = [Goal(variant=_name(100), metric=RATE, at_least=1500)]
    title = "What each stage takes on an event"
    return [Table(name="durations", title=title, rows=rows, goals=goals, notes=notes), priced(rows)]


def _name(size: int) -> str:
    return f"{size} record{'s' * (size > 1)}"


def _size(name: str) -> int:
    return int(name.partition(" ")[0])


def priced(durations: Sequence[Row]) -> Table:
    """Return what a million records cost."""
    return Table(
        name="batch-cost",
        title="A million records of 250 bytes, by the records in an event (USD)",
        peer=_name(1),
        rows=[replace(row, samples=[_total(one, _size(row.name)) for one in row.samples]) for row in durations],
        goals=[Goal(variant=_name(100), metric="total", at_most=0.70)],
        notes=[
            prices.load().remark,
            f"Traces and total: of many events a second X-Ray samples {prices.TRACED:.0%}; of fewer than one, all.",
        ],
    )


def cost(durations: Sample, size: int) -> dict[str, float]:
    """Return the parts of the price of a million records: those of an event, divided by the records in one."""
    current = prices.load()
    parts = {"table": prices.MILLION * current.dynamodb_write_unit, "requests": 0.0, "compute": 0.0, "log": 0.0}
    for stage, configured in stages().items():
        warm, logged, event = (durations[f"{stage} {unit}"] for unit in ("(ms)", "log (bytes)", "event (KB)"))
        for part, price in prices.runs(current, configured.memory, warm, logged, size=event * 1024).items():
            parts[part] += price / size
    return {**parts, "traces": prices.traces(current) / size}


def _total(durations: Sample, size: int) -> Sample:
    parts = cost(durations, size)
    total = sum(parts.values())
    untraced = total - parts["traces"]
    return {**parts, "total": total, "all traced": untraced + prices.traces(prices.load(), share=1) / size}


def chained(functions: Functions, size: int, setup: Setup) -> Functions:
    """Give each stage its event of so many records: what the stages before it make of them, in Lambda's envelope."""
    event: Any = [sized(index) for index in range(size)] if size > 1 else sized(0)
    given = {}
    for stage, function in functions.items():
        given[stage] = function._replace(event=event)
        with started(given[stage], setup.workspace) as lambda_:
            lambda_.invoke(given[stage])
            event = enveloped(event, json.loads(lambda_.api.answer))
    return given


def _measure(setup: Setup, size: int, functions: Functions) -> Sample:
    sample: dict[str, float] = {}
    for stage, function in functions.items():
        memory = stages()[stage].memory
        with started(function, setup.workspace, share_of(memory)) as lambda_:
            init = lambda_.init * 1000
        took, logged = metered(function, setup, memory, warm_up=WARM_UP, calls=CALLS)
        event = len(json.dumps(function.event, separators=(",", ":"))) / 1024
        figures = {"(ms)": took, "init (ms)": init, "log (bytes)": logged, "event (KB)": event}
        sample |= {f"{stage} {unit}": value for unit, value in figures.items()}
    return {**sample, RATE: size * 1000 / took}
