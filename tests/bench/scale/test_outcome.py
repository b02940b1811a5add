"""What came of a simulation: latencies, what is lost, the state at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bench.scale.outcome import Moment, Outcome

MOMENT = Moment(
    time=60, arrived=10, stored=6, waiting=1, dead=2, latency=0.1, running=[1], instances=[1], writes=0, warm=4000
)


def test_percentiles_count_events_not_classes() -> None:
    outcome = Outcome()
    outcome.note_latency(98, 0.01)
    outcome.note_latency(2, 60)
    assert outcome.latency(0.5) == pytest.approx(0.01)
    assert outcome.latency(0.98) == pytest.approx(0.01)
    assert outcome.latency(0.99) == pytest.approx(60)


def test_latencies_of_a_class_have_their_mean() -> None:
    outcome = Outcome()
    outcome.note_latency(1, 0.0101)
    outcome.note_latency(3, 0.0102)
    assert outcome.latency(1.0) == pytest.approx(0.010175)


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(Outcome().latency(0.5))


def test_what_is_neither_stored_nor_dead_nor_waiting_is_lost() -> None:
    outcome = Outcome(moments=[MOMENT], arrived=10, stored=6, dead={"age": 2.0})
    assert outcome.lost == 1


def test_the_state_at_a_time_is_that_of_its_step_or_the_last() -> None:
    later = MOMENT._replace(time=120)
    outcome = replace(Outcome(), moments=[MOMENT, later])
    assert outcome.at(30) is MOMENT
    assert outcome.at(61) is later
    assert outcome.at(1000) is later
