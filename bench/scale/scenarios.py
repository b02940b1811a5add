"""Loads and configurations: what is simulated of each, what it costs, and what would have to be changed for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from bench import prices
from bench.benches.costs import TRACED
from bench.harness.configured import stages
from bench.harness.endpoint import LATENCY
from bench.scale import limits
from bench.scale.durations import Durations
from bench.scale.outcome import Outcome
from bench.scale.queues import Stage
from bench.scale.simulation import Load, Platform, Simulation, steps
from bench.scale.table import Table, Writes
from model import build

DAY = 86_400.0
HEADROOM = 1.25
"""How much more than the least a configuration gets that is made for a load."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A load, and what is configured beside the model's defaults.

    Attributes:
        rate: records a second.
        size: records in an event.
        seconds: for which they come.
        concurrency: the account's.
        processors: the processor's reserved concurrency; 0: none.
        warm: writes a second that the table takes at once.
        quota: writes a second that the table never exceeds.
        hot: the share of the records that have one and the same id.
    """

    rate: float
    size: int = 1
    seconds: float = DAY
    concurrency: float = limits.CONCURRENCY.value
    processors: int = 0
    warm: float = limits.WARM_WRITES.value
    quota: float = limits.TABLE_WRITES.value
    hot: float = 0.0

    @property
    def name(self) -> str:
        """Name it by its load."""
        return f"{self.rate:,.0f}/s" + (f", {self.size} an event" if self.size > 1 else "")


@dataclass(frozen=True)
class Result:
    """What came of a scenario, in records."""

    scenario: Scenario
    outcome: Outcome
    costs: Mapping[str, float] = field(default_factory=dict)
    """USD, by what it is paid for."""

    @property
    def stored(self) -> float:
        """The share of the records that came which is stored at the end."""
        return self.outcome.stored / self.outcome.arrived

    @property
    def dead(self) -> float:
        """The share that became dead letters."""
        return sum(self.outcome.dead.values()) / self.outcome.arrived

    @property
    def most_waiting(self) -> float:
        """The most records that waited at once."""
        return max(moment.waiting for moment in self.outcome.moments) * self.scenario.size


def simulate(scenario: Scenario, durations: Durations, *, until: float | None = None) -> Result:
    """Run a scenario for as long as its load lasts; with `until`, for so many seconds or until everything has ended."""
    kinds, writes = _kinds(scenario)
    simulation = Simulation(
        _stages(scenario, durations, writes),
        Load(scenario.rate / scenario.size, scenario.seconds, kinds),
        platform=Platform(concurrency=scenario.concurrency),
        table=Table(warm=scenario.warm, quota=scenario.quota),
    )
    outcome = simulation.run(steps(until or scenario.seconds), until_empty=until is not None)
    return Result(scenario, outcome, _costs(scenario, outcome, durations))


def made_for(rate: float, size: int, durations: Durations) -> Scenario:
    """Return the configuration that a load needs: places for all that runs, and a table that takes what they write."""
    measured, events = durations[size], rate / size
    *others, last = (events * duration.warm for duration in measured.values())
    processors = math.ceil(last * HEADROOM) + 1
    warm = max(limits.WARM_WRITES.value, math.ceil(processors * size / list(measured.values())[-1].warm))
    free = max(math.ceil(sum(others) * HEADROOM) + 1, limits.KEPT_UNRESERVED.value)
    return Scenario(
        rate=rate,
        size=size,
        concurrency=max(limits.CONCURRENCY.value, processors + free),
        processors=processors,
        warm=warm,
        quota=max(limits.TABLE_WRITES.value, warm),
    )


def _kinds(scenario: Scenario) -> tuple[list[float], list[Writes]]:
    """Return the kinds of events by their share, and what each writes: a batch holds some of everything."""
    if scenario.size > 1 or not scenario.hot:
        hot = scenario.size * scenario.hot
        return [1.0], [Writes(scenario.size - hot, hot)]
    return [1 - scenario.hot, scenario.hot], [Writes(1.0), Writes(0.0, 1.0)]


def _stages(scenario: Scenario, durations: Durations, writes: list[Writes]) -> list[Stage]:
    measured = durations[scenario.size]
    *_, last = measured
    batch = scenario.size > 1
    return [
        Stage(
            name=name,
            duration=duration.warm,
            cold=duration.cold,
            retries=retries()[name],
            reserved=scenario.processors or math.inf if name == last else math.inf,
            kinds=writes if name == last else (),
            request=LATENCY["BatchExecuteStatement" if batch else "PutItem"],
            repeated=scenario.size * LATENCY["PutItem"] if batch else 0.0,
        )
        for name, duration in measured.items()
    ]


@cache
def retries() -> Mapping[str, int]:
    """Return how often each stage's failed events are tried again, as the model has it."""
    functions = (
        resource.properties
        for resource in build().resources.values()
        if resource.resource_type == "AWS::Serverless::Function"
    )
    return {
        function["Handler"].partition(".")[0]: function["EventInvokeConfig"].properties["MaximumRetryAttempts"]
        for function in functions
    }


def _costs(scenario: Scenario, outcome: Outcome, durations: Durations) -> dict[str, float]:
    """Return what a scenario costs: each part for what was run and written, refused and repeated things included."""
    current, parts = prices.load(), {"requests": 0.0, "compute": 0.0, "log": 0.0}
    measured = durations[scenario.size].items()
    for (name, duration), runs, busy in zip(measured, outcome.runs, outcome.busy, strict=True):
        parts["requests"] += runs / prices.MILLION * prices.requests(current, size=round(duration.event))
        rounded_up = runs * (math.ceil(duration.warm * 1000) / 1000 - duration.warm)
        parts["compute"] += (busy + rounded_up) * stages()[name].memory / 1024 * current.lambda_gb_second_arm64
        parts["log"] += runs / prices.MILLION * prices.logs(current, size=duration.logged)
    traces = outcome.runs[0] / prices.MILLION * prices.traces(current, share=TRACED)
    return {"table": outcome.writes * current.dynamodb_write_unit, **parts, "traces": traces}
