"""Batches: what a million records cost and how many one processor stores a second, by the records in an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bench import prices
from bench.benches.costs import TRACED, metered
from bench.harness.configured import stages
from bench.harness.cpu import share_of
from bench.harness.endpoint import LATENCY, endpoint
from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.records import enveloped, sized
from bench.harness.rounds import interleave
from bench.harness.setup import Setup, variant
from bench.results.figures import Goal, Plot, Row, Sample, Table

SIZES = (1, 10, 25, 100, 250)
TYPICAL, SINGLE = "100 records", "1 record"
CALLS = 20
WARM_UP = 5
PARTS = ("table", "requests", "compute", "log", "traces")
FULL, LIMITED = "records/s, full CPU", "records/s, Lambda's CPU"

Stages = Mapping[str, MeasuredFunction]  # by name, each with the event that it is given


def batches(setup: Setup) -> list[Table]:
    """Measure what a million records cost, and how many one processor stores a second, by the size of the batches."""
    with endpoint(setup.folder("endpoint"), tls=True, roots=setup.roots(), latency=LATENCY) as table:
        functions = {stage: setup.python(stage, environment=table.environment) for stage in stages()}
        return [
            Table(
                name="batch-cost",
                title="A million records of 250 bytes, by the records in an event (USD)",
                peer=SINGLE,
                rows=_measured(functions, cost, setup),
                goals=[Goal(variant=TYPICAL, metric="total", at_most=0.70)],
                notes=[
                    prices.load().remark,
                    f"Traces and total: of many events a second X-Ray samples {TRACED:.0%}; of fewer than one, all.",
                    "The size of the event is that at the last stage.",
                ],
                plot=Plot(PARTS, "by what it is paid for"),
            ),
            Table(
                name="batch-rate",
                title="One processor, by the records in an event",
                peer=SINGLE,
                rows=_measured(functions, _rate, setup),
                goals=[Goal(variant=TYPICAL, metric=LIMITED, at_least=1500)],
                plot=Plot((LIMITED,), "records a second at Lambda's CPU"),
            ),
        ]


def chained(functions: Stages, size: int, setup: Setup) -> Stages:
    """Give each stage its event of so many records: what the stages before it make of them, in Lambda's envelope."""
    event: Any = [sized(index) for index in range(size)] if size > 1 else sized(0)
    given = {}
    for stage, function in functions.items():
        given[stage] = replace(function, event=event)
        with started(given[stage], setup.workspace) as lambda_:
            lambda_.invoke(given[stage])
            event = enveloped(event, json.loads(lambda_.api.answer))
    return given


def _measured(functions: Stages, measure: Callable[..., Sample], setup: Setup) -> list[Row]:
    *_, last = stages().values()
    variants = [
        variant(
            SINGLE if size == 1 else f"{size} records",
            partial(chained, functions, size, setup),
            partial(measure, setup=setup, size=size),
            cpus=share_of(last.memory),
        )
        for size in SIZES
    ]
    return interleave(variants, setup.rounds, setup.advance)


def cost(functions: Stages, *, setup: Setup, size: int) -> Sample:
    """Add up what the stages cost: each part of a million events, divided by the records in one."""
    current, parts = prices.load(), dict.fromkeys(PARTS, 0.0)
    parts["table"] = prices.writes(current)
    parts["traces"] = prices.traces(current, share=TRACED) / size
    for stage, configured in stages().items():
        function = functions[stage]
        took = metered(function, setup, configured.memory, warm_up=WARM_UP, calls=CALLS)
        event = len(json.dumps(function.event, separators=(",", ":")))
        parts["requests"] += prices.requests(current, size=event) / size
        parts["compute"] += prices.compute(current, memory=configured.memory, duration=took.duration) / size
        parts["log"] += prices.logs(current, size=took.logged) / size
    total = sum(parts.values())
    all_traced = total - parts["traces"] + prices.traces(current, share=1) / size
    return {**parts, "total": total, "all traced": all_traced, "event (KB)": event / 1024}


def _rate(functions: Stages, *, setup: Setup, size: int) -> Sample:
    """Return how many records the last stage takes a second, one event after the other, and its peak memory."""
    stage, configured = list(stages().items())[-1]
    sample = {}
    for metric, cpus in ((FULL, None), (LIMITED, share_of(configured.memory))):
        with started(functions[stage], setup.workspace, cpus) as lambda_:
            for _ in range(WARM_UP):
                lambda_.invoke(functions[stage])
            sample[metric] = size * CALLS / sum(lambda_.invoke(functions[stage]) for _ in range(CALLS))
            sample["peak (MB)"] = lambda_.peak()
    return sample
