"""A stage's queue: events come out when they are ready, those of one history together."""

from __future__ import annotations

import pytest

from bench.scale.queues import Cohort, Queue, Stage
from bench.scale.table import Writes


@pytest.fixture
def queue() -> Queue:
    return Queue(Stage(name="only", duration=0.1), allowance=1000)


def test_events_are_taken_when_they_are_ready_and_not_before(queue: Queue) -> None:
    queue.put(Cohort(5, 0, 0), ready=10, now=0)
    assert queue.take(9) == []
    assert queue.waiting == queue.due(10) == 5
    assert queue.take(10) == [Cohort(5, 0, 0)]
    assert queue.waiting == queue.due(10) == 0


def test_events_of_the_same_history_are_one_cohort_with_their_mean(queue: Queue) -> None:
    queue.put(Cohort(1, 100.0, 0.0100), ready=10, now=100)
    queue.put(Cohort(3, 100.0, 0.0104), ready=10, now=100)
    assert queue.take(10) == [pytest.approx(Cohort(4, 100.0, 0.0103))]


@pytest.mark.parametrize("other", [{"backoffs": 1}, {"retries": 1}, {"kind": 1}, {"arrived": 50.0}])
def test_events_of_another_history_are_another_cohort(queue: Queue, other: dict[str, int]) -> None:
    queue.put(Cohort(1, 100.0, 0.0), ready=10, now=100)
    queue.put(Cohort(1, 100.0, 0.0)._replace(**other), ready=10, now=100)
    assert len(queue.take(10)) == 2


def test_instances_grow_to_what_is_busy_and_stay(queue: Queue) -> None:
    assert queue.grow(30) == 30
    assert queue.grow(20) == 0
    assert queue.grow(50) == 20
    assert (queue.instances, queue.allowance) == (50, 950)


def test_a_batch_that_comes_again_is_written_thrice_and_a_single_record_once() -> None:
    single = Stage(name="single", duration=0.01)
    batch = Stage(name="batch", duration=0.05, repeated=0.4)
    assert single.units(Writes(1), again=True) == Writes(1)
    assert batch.units(Writes(90, 10), again=False) == Writes(90, 10)
    assert batch.units(Writes(90, 10), again=True) == Writes(270, 30)
