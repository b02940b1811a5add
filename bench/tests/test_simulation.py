"""The simulation: what is known without it, what may never be exceeded, and that nothing gets lost on the way."""

from collections import namedtuple
from typing import Any

import pytest

from bench.benches.batches import Durations
from bench.harness.configured import stages
from bench.scale import aws
from bench.scale.scenarios import Scenario, needed, simulate
from bench.scale.simulation import Simulation, Stage
from core import aws as client
from model.stages import function

MINUTE, HOUR = 60.0, 3600.0
STAGES = (Stage(name="first", duration=0.001, retries=0), Stage(name="last", duration=0.009))


def took(computing: float, storing: float, event: float) -> dict[str, float]:
    """Return what each stage of the model takes in ms: all compute, the last one stores."""
    *_, last = stages()
    return {
        f"{stage} {unit}": value
        for stage in stages()
        for unit, value in {"(ms)": storing if stage == last else computing, "init (ms)": 200.0,
                            "log (bytes)": 240.0, "event (KB)": event}.items()
    }  # fmt: skip


DURATIONS: Durations = {1: took(1, 8, 1), 100: took(4, 50, 50)}


Moment = namedtuple("Moment", "time running instances writes warm")


class Watched(Simulation):
    """A simulation that keeps the state after each step."""

    def step(self) -> None:
        self.moments: list[Moment] = getattr(self, "moments", [])
        before, warm = self.outcome.writes, self.table.warm
        super().step()
        running, instances = ([getattr(queue, of) for queue in self.queues] for of in ("running", "instances"))
        writes = (self.outcome.writes - before) / self.length
        self.moments.append(Moment(self.now + self.length, running, instances, writes, warm))


def run(*given: Stage, rate: float, seconds: float, until: float = 0, **settings: Any) -> Watched:
    settings = {"table": aws.Table(), "places": aws.CONCURRENCY, **settings}
    simulation = Watched(given or STAGES, rate=rate, seconds=seconds, **settings)
    simulation.run(until or seconds)
    return simulation


def storing(**given: Any) -> Stage:
    """Make a stage that writes one record to the table."""
    return Stage(**{"name": "last", "duration": 0.01, "records": 1.0, **given})


def test_the_latency_of_a_light_load_is_what_the_stages_take() -> None:
    simulation = run(rate=1000, seconds=60)
    assert [simulation.outcome.latency(share) for share in (0.5, 1.0)] == pytest.approx([0.010, 0.010])
    assert simulation.outcome.waiting == 0
    assert simulation.moments[-1].running == pytest.approx([1.0, 9.0])


def test_the_backlog_of_too_large_a_load_grows_at_the_difference() -> None:
    # Ten places of 0.1 s each run 100 events a second.
    outcome = run(Stage(name="only", duration=0.1), rate=150, seconds=30, places=10).outcome
    assert (outcome.stored, outcome.waiting) == pytest.approx((100 * 30, 50 * 30))


@pytest.mark.parametrize("rate", [7, 12_345])
@pytest.mark.parametrize("size", [1, 100])
def test_what_came_is_stored_dead_or_waiting(rate: int, size: int) -> None:
    given = Stage(name="first", duration=0.01, retries=0), storing(duration=0.05, records=size, repeated=size * 0.004)
    outcome = run(*given, rate=rate, seconds=HOUR, until=2 * HOUR, places=50).outcome
    assert outcome.arrived == pytest.approx(rate * HOUR)
    assert outcome.stored + sum(outcome.dead.values()) + outcome.waiting == pytest.approx(outcome.arrived)


@pytest.fixture(scope="module")
def overloaded() -> Watched:
    return run(STAGES[0], storing(cold=0.5), rate=100_000, seconds=600, until=2400, places=3000)


def test_no_more_runs_at_once_than_the_account_may(overloaded: Watched) -> None:
    assert max(sum(moment.running) for moment in overloaded.moments) == pytest.approx(3000)
    assert "the account's concurrency" in overloaded.outcome.saturated


def test_no_function_gets_more_instances_than_a_thousand_in_ten_seconds(overloaded: Watched) -> None:
    assert all(max(moment.instances) <= 1000 + 100 * moment.time for moment in overloaded.moments)
    assert "new instances of the last" in overloaded.outcome.saturated


def test_no_more_is_written_than_the_table_takes(overloaded: Watched) -> None:
    assert all(moment.writes <= moment.warm * (1 + 1e-6) for moment in overloaded.moments)
    assert "the table's warm throughput" in overloaded.outcome.saturated


def test_a_function_has_its_reserved_concurrency_and_the_others_lack_it() -> None:
    given = Stage(name="first", duration=1.0), Stage(name="last", duration=1.0, reserved=40)
    last = run(*given, rate=1000, seconds=60, places=100).moments[-1]
    assert last.running == pytest.approx([60, 40])


def test_a_throttled_event_waits_longer_each_time() -> None:
    # One place runs 100 of the 1,000 events in a second; each that finds none waits 1, 2, 4 … s.
    simulation = run(Stage(name="only", duration=0.01), rate=1000, seconds=1, until=600, places=1)
    latencies = sorted(seconds / number for number, seconds in simulation.outcome.latencies.values())
    assert simulation.outcome.stored == pytest.approx(1000)
    assert latencies[0] < 1
    assert 10 < latencies[-1] < 300


def test_events_that_are_too_old_become_dead_letters() -> None:
    only = Stage(name="only", duration=0.1)
    assert set(run(only, rate=200, seconds=12 * HOUR, places=10).outcome.dead) == {"age at the only"}
    assert run(only, rate=200, seconds=5 * HOUR, places=10).outcome.dead == {}
    assert aws.EVENT_AGE == function.MAXIMUM_EVENT_AGE


@pytest.mark.parametrize(("retries", "waits"), [(0, [0]), (1, [0, 60]), (2, [0, 60, 180])])
def test_a_failed_batch_is_tried_again_after_one_minute_and_after_two_more(retries: int, waits: list[float]) -> None:
    # The table takes a fifth of the writes at first; what fails then becomes a dead letter after its retries.
    batch = storing(duration=1e-4, records=100, request=0.0, retries=retries)
    outcome = run(batch, rate=60, seconds=5, until=HOUR).outcome
    found = {round(seconds / number / 60) * 60 for number, seconds in outcome.latencies.values()}
    assert found <= set(waits)
    assert (60 in found) == (retries > 0)
    assert set(outcome.dead) <= {"retries of the last"}
    assert bool(outcome.dead) == (retries == 0)


def test_the_writes_that_succeed_are_what_the_table_takes() -> None:
    share = aws.Table().share(lambda share: 10_000 * aws.written(share))
    assert 10_000 * aws.written(share) == pytest.approx(4000, rel=1e-3)
    assert aws.Table().share(lambda _: 3999.0) == 1


def test_waits_double_and_half_of_them_is_waited() -> None:
    assert aws.waits(0.0, 1, request=0.0) == pytest.approx((1 + 2 + 4 + 8) / 2)
    assert aws.waits(1.0, 1, request=0.004) == 0


def test_a_table_takes_twice_its_peak_half_an_hour_later_up_to_its_quota() -> None:
    table = aws.Table()
    for now in range(0, 5 * 3600, 60):
        table.note(float(now), min(table.warm, 30_000))
        assert table.warm == min(40_000, 4000 * 2 ** (now // 1800))


def test_the_client_is_simulated_with_the_attempts_and_waits_that_it_has() -> None:
    assert (client.ATTEMPTS, client.AFTER_THROTTLING) == (aws.ATTEMPTS, aws.FIRST_WAIT)


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("rate", [10, 10_000, 1_000_000])
def test_the_configuration_for_a_load_stores_all_of_it(rate: int, size: int) -> None:
    load = needed(Scenario(rate=rate, size=size), DURATIONS)
    outcome = simulate(load, DURATIONS, seconds=MINUTE, until=20 * MINUTE).outcome
    assert outcome.stored == pytest.approx(outcome.arrived)
    assert not outcome.dead
    assert load.processors * size / DURATIONS[size]["processor (ms)"] * 1000 <= max(load.warm, aws.WARM_WRITES)


def test_a_batch_that_meets_a_table_that_is_too_small_becomes_a_dead_letter_unless_processors_are_few() -> None:
    load = Scenario(rate=100_000, size=100)
    overrun = simulate(load, DURATIONS, seconds=MINUTE, until=HOUR).outcome
    assert sum(overrun.dead.values()) > 0.5 * overrun.arrived
    capped = Scenario(rate=100_000, size=100, processors=2)
    outcome = simulate(capped, DURATIONS, seconds=MINUTE, until=2 * HOUR).outcome
    assert outcome.stored == pytest.approx(outcome.arrived)
    assert not outcome.dead
