"""The simulation's tables and pictures, which docs/scale.md shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from bench import prices
from bench.harness.setup import Setup
from bench.results.figures import Plot, Row, Table
from bench.scale import durations
from bench.scale.durations import Durations
from bench.scale.scenarios import DAY, Result, Scenario, made_for, simulate

RATES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
"""Records a second."""
TIMES = {"10 s": 10, "1 min": 60, "10 min": 600, "30 min": 1800, "1 h": 3600, "2 h": 7200, "6 h": 21_600, "24 h": DAY}
HOT, HOT_RATES = 0.2, (1_000, 4_000, 10_000)
"""The share of the records that one id has, where it has many; and the records a second."""
BACKFILL = 10_000_000
PACED = 3_000
"""Records a second: the pace that `pipeline submit` keeps by itself."""
UNPACED = 100_000
"""Records a second that a producer sends who has no reason to wait."""
WARMED = 40_000
"""Writes a second: the most that a table takes by default."""
MILLION = 1e6


def scale(setup: Setup) -> list[Table]:
    """Simulate a thousand times the load under AWS's limits: what saturates, how long it takes, what it costs."""
    measured = durations.measure(setup)
    known = durations.read(measured)
    return [measured, *(tables(known) if known else [])]


def tables(known: Durations) -> list[Table]:
    """Make all tables of what was measured."""
    loads = [(rate, size) for size in durations.SIZES for rate in RATES]
    deployed = [simulate(Scenario(rate=rate, size=size), known) for rate, size in loads]
    raised = [simulate(made_for(rate, size, known), known) for rate, size in loads]
    return [
        _as_deployed(deployed),
        _over_time("backlog", "Records that wait", "records", deployed),
        _over_time("latency", "From the producer to the table", "seconds, mean of what is stored then", deployed),
        _growth(deployed),
        _raised(raised),
        _a_day(raised),
        _one_id(known),
        _backfill(known),
    ]


def _as_deployed(results: Sequence[Result]) -> Table:
    """Show a day of each load, on a new account and a new table, with the parameters' defaults."""
    return Table(
        name="scale-deployed",
        title="A day of each load, as deployed by default",
        rows=[
            _row(
                result.scenario.name,
                {
                    **_day(result),
                    "a day (USD)": sum(result.costs.values()),
                },
            )
            for result in results
        ],
        notes=[*(note for result in results for note in _what_happens(result)), prices.load().remark],
    )


def _what_happens(result: Result) -> list[str]:
    """Say which limits are reached, in which order, and what becomes of the records."""
    outcome = result.outcome
    if not outcome.saturated:
        return []
    reached = ", ".join(f"{limit} ({_time(when)})" for limit, when in outcome.saturated.items())
    text = f"{result.scenario.name}: reaches {reached}."
    if outcome.first_dead is not None:
        most = max(outcome.dead, key=lambda reason: outcome.dead[reason])
        text += f" Dead letters from {_time(outcome.first_dead)} on, most of them by the {most}."
    return [text]


def _over_time(name: str, title: str, unit: str, results: Sequence[Result]) -> Table:
    """Show how what waits, or how long it takes, grows over a day; of the loads that reach a limit."""
    rows = [
        _row(
            result.scenario.name,
            {
                metric: _waiting(result, at) if name == "backlog" else result.outcome.at(at).latency
                for metric, at in TIMES.items()
            },
        )
        for result in results
        if result.outcome.saturated
    ]
    return _lines(f"scale-{name}", title, rows, unit)


def _growth(results: Sequence[Result]) -> Table:
    """Show how the table grows under a load that it can't take."""
    result = next(r for r in results if r.scenario.rate == 100_000 and r.scenario.size == 1)
    moments = {metric: result.outcome.at(at) for metric, at in TIMES.items()}
    rows = [
        _row("comes", dict.fromkeys(moments, result.scenario.rate)),
        _row("the table takes", {metric: moment.warm for metric, moment in moments.items()}),
        _row("is written", {metric: moment.writes for metric, moment in moments.items()}),
        _row("processors run", {metric: moment.running[-1] for metric, moment in moments.items()}),
    ]
    return _lines("scale-growth", f"A new table under {result.scenario.name}", rows, "a second, and executions at once")


def _raised(results: Sequence[Result]) -> Table:
    """Show what has to be changed for each load, and that it is enough."""
    return Table(
        name="scale-raised",
        title="What each load needs, and a day of it",
        rows=[
            _row(
                result.scenario.name,
                {
                    "account's concurrency": result.scenario.concurrency,
                    "processors": result.scenario.processors,
                    "warm throughput (writes/s)": result.scenario.warm,
                    "stored (%)": 100 * result.stored,
                    "dead letters (%)": 100 * result.dead,
                    "most waiting (thousand)": result.most_waiting / 1000,
                    "p50 (s)": result.outcome.latency(0.5),
                    "p99 (s)": result.outcome.latency(0.99),
                },
            )
            for result in results
        ],
        notes=[
            "Processors: ProcessorReservedConcurrency. The account's concurrency is a quota of Lambda's; a warm "
            "throughput above 40,000 needs the table's quota raised too.",
            *(note for result in results for note in _what_happens(result)),
        ],
    )


def _a_day(results: Sequence[Result]) -> Table:
    """Show what a day costs, by the load."""
    rows = [
        _row(
            "single events" if size == 1 else f"{size} records an event",
            {
                f"{result.scenario.rate:,.0f}/s": sum(result.costs.values())
                for result in results
                if result.scenario.size == size
            },
        )
        for size in durations.SIZES
    ]
    table = _lines("scale-cost", "A day of each load", rows, "USD")
    return replace(table, notes=[prices.load().remark])


def _day(result: Result) -> dict[str, float]:
    """Return what became of a day's records, and how long those that were stored took."""
    return {
        "stored (%)": 100 * result.stored,
        "dead letters (%)": 100 * result.dead,
        "waiting in the end (million)": _waiting(result, DAY) / MILLION,
        "p50 (s)": result.outcome.latency(0.5),
        "p99 (s)": result.outcome.latency(0.99),
    }


def _one_id(known: Durations) -> Table:
    """Show what happens where one id has a fifth of the records, in configurations made for the load."""
    loads = [(rate, size) for size in durations.SIZES for rate in HOT_RATES]
    results = [simulate(replace(made_for(rate, size, known), hot=HOT), known) for rate, size in loads]
    return Table(
        name="scale-one-id",
        title=f"A day in which one id has {HOT:.0%} of the records",
        rows=[
            _row(
                result.scenario.name,
                _day(result),
            )
            for result in results
        ],
        notes=[note for result in results for note in _what_happens(result)],
    )


def _backfill(known: Durations) -> Table:
    """Show ten million records that are sent at once, in batches of a hundred, in several ways."""
    batch = Scenario(rate=UNPACED, size=100)
    rate = batch.size / list(known[batch.size].values())[-1].warm  # records a second, of one processor
    few, many = (max(1, math.floor(most / rate)) for most in (batch.warm, WARMED))
    ways = {
        "at once, as deployed": batch,
        f"{PACED:,}/s, as deployed": replace(batch, rate=PACED),
        f"at once, {few} processors": replace(batch, processors=few),
        f"at once, {many} processors, {WARMED:,} warm": replace(batch, processors=many, warm=WARMED),
    }
    results = {
        name: simulate(replace(way, seconds=BACKFILL / way.rate), known, until=3 * DAY) for name, way in ways.items()
    }
    return Table(
        name="scale-backfill",
        title=f"A backfill of {BACKFILL:,} records, {batch.size} an event",
        rows=[
            _row(
                name,
                {
                    "done after (min)": result.outcome.moments[-1].time / 60,
                    "stored (%)": 100 * result.stored,
                    "dead letters": result.dead * BACKFILL,
                    "p99 (min)": result.outcome.latency(0.99) / 60,
                    "cost (USD)": sum(result.costs.values()),
                },
            )
            for name, result in results.items()
        ],
    )


def _lines(name: str, title: str, rows: Sequence[Row], unit: str) -> Table:
    table = Table(name=name, title=title, rows=rows)
    return replace(table, plot=Plot(table.metrics(), unit, lines=True))


def _row(name: str, figures: dict[str, float]) -> Row:
    return Row(name=name, samples=[{metric: value for metric, value in figures.items() if not math.isnan(value)}])


def _waiting(result: Result, at: float) -> float:
    """Return the records that wait at a time; what is less than one is none."""
    records = result.outcome.at(at).waiting * result.scenario.size
    return records if records >= 1 else 0.0


def _time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.0f} s"
