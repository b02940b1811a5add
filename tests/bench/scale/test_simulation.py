"""The simulation: what is known without it, what may never be exceeded, and that nothing gets lost on the way."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest

from bench.scale import limits
from bench.scale.outcome import Outcome
from bench.scale.queues import Stage
from bench.scale.simulation import Load, Platform, Simulation, steps
from bench.scale.table import Table, Writes
from tests.bench.scale.samples import STAGES, run

HOUR = 3600.0


def storing(**given: Any) -> Stage:
    """Make a stage that writes one record to the table."""
    return Stage(**{"name": "last", "duration": 0.01, "kinds": (Writes(1.0),), **given})


def test_the_latency_of_a_light_load_is_what_the_stages_take() -> None:
    outcome = run(Load(10, HOUR), HOUR)
    assert outcome.latency(0.5) == pytest.approx(0.010)
    assert outcome.latency(1.0) == pytest.approx(0.010)
    assert outcome.waiting == 0


def test_the_first_run_of_an_instance_takes_as_long_as_its_start_too() -> None:
    outcome = run(Load(10, 1), 1, Stage(name="only", duration=0.1, cold=0.5))
    assert outcome.latency(1.0) == pytest.approx(0.6)
    assert outcome.latency(0.5) == pytest.approx(0.1)


def test_a_light_load_takes_as_many_executions_as_its_rate_times_the_duration() -> None:
    assert run(Load(1000, 60), 60).moments[-1].running == pytest.approx([1.0, 9.0])


def test_the_backlog_of_too_large_a_load_grows_at_the_difference() -> None:
    # Ten places of 0.1 s each run 100 events a second.
    outcome = run(Load(150, 30), 30, Stage(name="only", duration=0.1), concurrency=10)
    assert [moment.waiting for moment in outcome.moments] == pytest.approx([50.0 * (n + 1) for n in range(30)])
    assert outcome.stored == pytest.approx(100 * 30)


def test_the_stages_share_the_account_so_that_each_has_what_its_events_need() -> None:
    outcome = run(Load(1000, HOUR), HOUR, concurrency=5)  # ten would be needed
    assert outcome.stored == pytest.approx(500 * HOUR, rel=0.1)


@pytest.mark.parametrize("rate", [7, 900, 12_345])
@pytest.mark.parametrize("size", [1, 100])
def test_what_came_is_stored_dead_or_waiting(rate: int, size: int) -> None:
    stages = (
        Stage(name="first", duration=0.01, retries=0),
        storing(duration=0.05, kinds=(Writes(size * 0.9, size * 0.1),), repeated=size * 0.004),
    )
    outcome = run(Load(rate, HOUR), 2 * HOUR, *stages, concurrency=50, failing=0.01, throttled=0.01)
    assert outcome.arrived == pytest.approx(rate * HOUR)
    assert abs(outcome.lost) < 1e-6 * outcome.arrived
    assert outcome.stored + sum(outcome.dead.values()) + outcome.waiting == pytest.approx(outcome.arrived)
    assert all(moment.waiting >= 0 for moment in outcome.moments)


@cache
def overloaded() -> Outcome:
    return overload()


def overload() -> Outcome:
    return run(Load(100_000, 600), 2400, STAGES[0], storing(cold=0.5), concurrency=3000)


def test_no_more_runs_at_once_than_the_account_may() -> None:
    outcome = overloaded()
    assert max(sum(moment.running) for moment in outcome.moments) == pytest.approx(3000)
    assert "the account's concurrency" in outcome.saturated


def test_no_function_gets_more_instances_than_a_thousand_in_ten_seconds() -> None:
    outcome = overloaded()
    for before, after in zip(outcome.moments, outcome.moments[1:], strict=False):
        new = [b - a for a, b in zip(before.instances, after.instances, strict=True)]
        assert max(new) <= max(1000, 100 * (after.time - before.time)) * (1 + 1e-9)
    assert all(max(moment.instances) <= 1000 + 100 * moment.time for moment in outcome.moments)
    assert "new instances of the last" in outcome.saturated


def test_no_more_is_written_than_the_table_takes() -> None:
    outcome = overloaded()
    assert all(moment.writes <= moment.warm * (1 + 1e-6) for moment in outcome.moments)
    assert "the table's warm throughput" in outcome.saturated


def test_a_function_has_its_reserved_concurrency_and_no_more() -> None:
    outcome = run(Load(1000, 60), 60, STAGES[0], storing(duration=0.1, reserved=20))
    assert max(moment.running[1] for moment in outcome.moments) == pytest.approx(20)
    assert outcome.stored == pytest.approx(200 * 60)


def test_what_one_function_has_reserved_the_others_lack() -> None:
    stages = Stage(name="first", duration=1.0), Stage(name="last", duration=0.001, reserved=40)
    outcome = run(Load(1000, 60), 60, *stages, concurrency=100)
    assert max(moment.running[0] for moment in outcome.moments) == pytest.approx(60)


def test_a_throttled_event_waits_longer_each_time() -> None:
    waits = [
        run(Load(1, 1), 2000, Stage(name="only", duration=1e-4), throttled=share).latency(0.98)
        for share in (0.5, 0.75, 0.9)
    ]
    # 0.5 ** 6, 0.75 ** 14 and 0.9 ** 38 are less than 2 %: so many waits of 1, 2, 4 … 300 s come before.
    assert waits[0] < 60 < waits[1] < 1700


def test_events_that_are_too_old_become_dead_letters() -> None:
    outcome = run(Load(200, 12 * HOUR), 12 * HOUR, Stage(name="only", duration=0.1), concurrency=10)
    assert set(outcome.dead) == {"age at the only"}
    assert outcome.first_dead == pytest.approx(limits.EVENT_AGE.value, rel=0.05)


@pytest.mark.parametrize(("retries", "dead"), [(0, 0.5), (1, 0.25), (2, 0.125)])
def test_an_event_that_fails_too_often_becomes_a_dead_letter(retries: int, dead: float) -> None:
    stage = Stage(name="only", duration=0.001, retries=retries)
    outcome = run(Load(100, 10), HOUR, stage, failing=0.5)
    assert outcome.dead == {"retries of the only": pytest.approx(1000 * dead)}


def test_a_failed_event_is_tried_again_after_one_minute_and_after_two_more() -> None:
    outcome = run(Load(100, 1), HOUR, Stage(name="only", duration=1e-4), failing=0.5)
    waited = sorted(seconds / number for number, seconds in outcome.latencies.values())
    assert waited == pytest.approx([0.0, 60.0, 180.0], abs=0.1)


def test_runs_take_longer_while_the_table_refuses() -> None:
    outcome = run(Load(5000, 60), 60, storing(), concurrency=1000)
    assert outcome.moments[-1].running[0] > 10 * 5000 * 0.01


def test_what_waits_is_worked_off_when_the_load_ends() -> None:
    outcome = run(Load(150, 60), HOUR, Stage(name="only", duration=0.1), concurrency=10, until_empty=True)
    assert outcome.stored == pytest.approx(outcome.arrived)
    assert outcome.moments[-1].time < HOUR


def test_a_queue_that_refuses_nothing_loses_no_time() -> None:
    stage = Stage(name="only", duration=0.1)
    outcome = run(Load(100, 1), 60, stage, concurrency=1, new_instances=math.inf, refuses=False, until_empty=True)
    assert outcome.moments[-1].time == pytest.approx(10, abs=1)


def test_the_same_input_gives_the_same_figures() -> None:
    assert overloaded() == overload()


def test_steps_leave_no_gap() -> None:
    now = 0.0
    for begin, length in steps(3 * HOUR + 7):
        assert begin == pytest.approx(now)
        now += length
    assert now == pytest.approx(3 * HOUR + 7)


def test_a_second_of_lambda_may_last_less() -> None:
    simulation = Simulation(
        [Stage(name="only", duration=1e-4)], Load(100, 1), platform=Platform(failing=0.5, second=1 / 60), table=Table()
    )
    outcome = simulation.run(steps(10))
    assert max(seconds / number for number, seconds in outcome.latencies.values()) == pytest.approx(3, abs=0.01)
