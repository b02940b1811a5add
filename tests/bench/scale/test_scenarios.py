"""Scenarios: the stages as the model has them, configurations that are enough, costs as anybody would add them up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import prices
from bench.harness.configured import stages
from bench.scale.scenarios import Scenario, made_for, retries, simulate
from tests.bench.scale.samples import DURATIONS

MINUTE = 60.0


def test_the_stages_are_retried_as_the_model_says() -> None:
    assert retries()["validator"] == 0
    assert retries()["processor"] == 2


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize("rate", [10, 10_000, 1_000_000])
def test_what_is_made_for_a_load_stores_all_of_it(rate: int, size: int) -> None:
    result = simulate(replace(made_for(rate, size, DURATIONS), seconds=MINUTE), DURATIONS, until=20 * MINUTE)
    assert result.stored == pytest.approx(1)
    assert result.dead == 0


def test_what_is_made_for_a_load_never_overruns_the_table() -> None:
    made = made_for(10_000, 100, DURATIONS)
    assert made.processors * 100 / DURATIONS[100]["processor"].warm <= made.warm


def test_a_new_table_is_overrun_by_ten_thousand_records_a_second() -> None:
    result = simulate(Scenario(rate=10_000, seconds=MINUTE), DURATIONS)
    assert "the table's warm throughput" in result.outcome.saturated
    assert result.most_waiting > 100_000


def test_a_batch_that_meets_a_table_that_is_too_small_becomes_a_dead_letter() -> None:
    backfill = Scenario(rate=100_000, size=100, seconds=MINUTE)
    assert simulate(backfill, DURATIONS, until=60 * MINUTE).dead > 0.5


def test_few_processors_keep_batches_from_overrunning_the_table() -> None:
    backfill = Scenario(rate=100_000, size=100, seconds=MINUTE, processors=2)
    result = simulate(backfill, DURATIONS, until=60 * MINUTE)
    assert result.dead == 0
    assert result.stored == pytest.approx(1)


def test_one_busy_id_holds_up_all_others() -> None:
    made = replace(made_for(10_000, 1, DURATIONS), seconds=600)
    assert simulate(made, DURATIONS).stored == pytest.approx(1)
    busy = simulate(replace(made, hot=0.2), DURATIONS)
    assert "the writes of one id" in busy.outcome.saturated
    assert busy.stored < 0.8


def test_a_million_records_cost_what_their_parts_do() -> None:
    costs = simulate(Scenario(rate=1000, seconds=1000), DURATIONS).costs
    current = prices.load()
    assert costs["table"] == pytest.approx(prices.writes(current))
    assert costs["requests"] == pytest.approx(len(stages()) * prices.requests(current))
    assert costs["log"] == pytest.approx(len(stages()) * prices.logs(current, size=240))
    compute = [(stages()[stage].memory, 1000 * duration.warm) for stage, duration in DURATIONS[1].items()]
    assert costs["compute"] == pytest.approx(
        sum(prices.compute(current, memory=memory, duration=ms) for memory, ms in compute), rel=0.01
    )


def test_a_scenario_is_named_by_its_load() -> None:
    assert Scenario(rate=10_000).name == "10,000/s"
    assert Scenario(rate=10_000, size=100).name == "10,000/s, 100 an event"
