"""Loads of up to a million records a second: what becomes of a day's records, what it costs, what the load needs."""

import math
from dataclasses import dataclass, replace

from bench import prices
from bench.benches.batches import Durations, published
from bench.harness.configured import stages
from bench.harness.endpoint import LATENCY
from bench.harness.setup import Setup
from bench.results.figures import Row, Table
from bench.scale import aws
from bench.scale.simulation import Simulation, Stage

RATES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)  # records a second
DAY = 86_400.0  # seconds
HEADROOM = 1.25  # how much more than the least a configuration has that is made for a load


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A load in records a second, and what is configured besides the model's defaults."""

    rate: float
    size: int = 1
    places: float = aws.CONCURRENCY
    processors: float = math.inf
    warm: float = aws.WARM_WRITES

    @property
    def name(self) -> str:
        """Name it by its load."""
        return f"{self.rate:,.0f}/s" + (f", {self.size} an event" if self.size > 1 else "")


def scale(_: Setup) -> list[Table]:
    """Simulate a day of up to a million records a second under AWS's limits, from the durations in RESULTS.md."""
    known = published()
    loads = [Scenario(rate=rate, size=size) for size in (1, 100) for rate in RATES]
    days = {load: simulate(load, known) for load in loads}
    rows = [Row(name=load.name, samples=[_figures(load, day, known)]) for load, day in days.items()]
    notes = [
        *(f"{load.name} reaches {_reached(day)}." for load, day in days.items() if day.outcome.saturated),
        "Needed: ProcessorReservedConcurrency and the table's warm throughput, a quarter more than the least.",
        prices.load().remark,
    ]
    title = "A day of each load as deployed by default, and what it needs so that nothing fails"
    return [Table(name="scale", title=title, rows=rows, notes=notes)]


def _reached(day: Simulation) -> str:
    return ", ".join(f"{limit} ({when:.0f} s)" for limit, when in day.outcome.saturated.items())


def simulate(load: Scenario, known: Durations, *, seconds: float = DAY, until: float = DAY) -> Simulation:
    """Run a load of so many seconds, and look at it after `until`."""
    table = aws.Table(warm=load.warm, quota=max(aws.TABLE_WRITES, load.warm))
    day = Simulation(_stages(load, known), table, rate=load.rate / load.size, seconds=seconds, places=load.places)
    day.run(until)
    return day


def needed(load: Scenario, known: Durations) -> Scenario:
    """Return the configuration that a load needs: places for all that runs, and a table that takes what they write."""
    *others, last = (known[load.size][f"{name} (ms)"] / 1000 for name in stages())
    events = load.rate / load.size * HEADROOM
    processors = math.ceil(events * last) + 1
    places = processors + max(math.ceil(events * sum(others)) + 1, aws.UNRESERVED)
    warm = max(aws.WARM_WRITES, math.ceil(processors * load.size / last))
    return replace(load, places=max(aws.CONCURRENCY, places), processors=processors, warm=warm)


def _stages(load: Scenario, known: Durations) -> list[Stage]:
    took, batch, last = known[load.size], load.size > 1, list(stages())[-1]
    return [
        Stage(
            name=name,
            duration=took[f"{name} (ms)"] / 1000,
            cold=took[f"{name} init (ms)"] / 1000,
            retries=configured.retries,
            reserved=load.processors if name == last else math.inf,
            records=load.size if name == last else 0,
            request=LATENCY["BatchExecuteStatement" if batch else "PutItem"],
            repeated=load.size * LATENCY["PutItem"] if batch else 0.0,
        )
        for name, configured in stages().items()
    ]


def _figures(load: Scenario, day: Simulation, known: Durations) -> dict[str, float]:
    outcome, need = day.outcome, needed(load, known)
    return {
        "stored (%)": 100 * outcome.stored / outcome.arrived,
        "dead letters (%)": 100 * sum(outcome.dead.values()) / outcome.arrived,
        "waiting (%)": 100 * outcome.waiting / outcome.arrived,
        "p99 (s)": outcome.latency(0.99),
        "a day (USD)": cost(load, day, known),
        "processors needed": need.processors,
        "writes/s needed": need.warm,
    }


def cost(load: Scenario, day: Simulation, known: Durations) -> float:
    """Return what the runs and the writes cost, those that were refused or repeated included."""
    current, took = prices.load(), known[load.size]
    total = day.outcome.writes * current.dynamodb_write_unit
    for queue in day.queues:
        name, duration = queue.stage.name, 1000 * queue.busy / queue.runs
        parts = prices.runs(current, stages()[name].memory, duration, took[f"{name} log (bytes)"])
        total += queue.runs / prices.MILLION * sum(parts.values())
    return total + day.queues[0].runs / prices.MILLION * prices.traces(current)
