"""The places of the queue: bounded in all and for each function, the begun before the new."""

from collections import Counter
from time import monotonic

import pytest

from pipeline.local.asynchronous import concurrency
from pipeline.local.asynchronous.concurrency import SLOW, WORTH_A_START, Places
from pipeline.local.asynchronous.event import Event
from pipeline.local.asynchronous.targets import Target


def event(function: str, depth: int = 0) -> Event:
    return Event(Target("000000000000", "us-east-1", function, "live"), b"{}", "id", 0.0, function, depth)


def waiting(limit: int, *functions: str) -> Places:
    places = Places(limit)
    for function in functions:
        places.wait(event(function))
    return places


def take_all(places: Places) -> list[Event]:
    taken = []
    while found := places.take():
        taken.append(found)
    return taken


def test_no_more_run_at_once_than_the_limit() -> None:
    assert len(take_all(waiting(3, *"abcdefgh"))) == 3


def test_a_few_events_wait_for_the_one_interpreter_instead_of_starting_more() -> None:
    assert len(take_all(waiting(8, *"a" * (WORTH_A_START - 1)))) == 1


def test_one_more_is_started_for_each_that_is_worth_it() -> None:
    assert len(take_all(waiting(8, *"a" * (2 * WORTH_A_START + 2)))) == 3


def test_one_function_has_half_of_the_places() -> None:
    assert Counter(event.target.name for event in take_all(waiting(8, *"a" * 500, "b"))) == {"a": 4, "b": 1}


def test_an_event_that_waits_for_a_slow_call_runs_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    places = waiting(8, "a", "a")
    assert len(take_all(places)) == 1
    now = monotonic()
    monkeypatch.setattr(concurrency, "monotonic", lambda: now + SLOW + 1)
    assert len(take_all(places)) == 1


def test_one_place_is_enough_for_any_function() -> None:
    assert len(take_all(waiting(1, "a", "a"))) == 1


def test_a_place_that_is_given_back_is_taken_again() -> None:
    places = waiting(2, *"aaa")
    (first,) = take_all(places)
    assert places.take() is None
    places.give_back(first)
    assert places.take() is not None


def test_events_of_a_function_run_in_the_order_in_which_they_came() -> None:
    places, events = Places(80), [event("a") for _ in range(200)]
    for one in events:
        places.wait(one)
    taken = take_all(places)
    assert len(taken) > 1
    assert [id(one) for one in taken] == [id(one) for one in events[: len(taken)]]


def test_what_was_begun_is_finished_first() -> None:
    places = Places(1)
    places.wait(event("first"))
    places.wait(event("last", depth=2))
    found = places.take()
    assert found is not None
    assert found.target.name == "last"


def test_a_clearing_forgets_what_waits_and_keeps_the_places_of_what_runs() -> None:
    places = waiting(4, *"abca")
    running = take_all(places)
    assert len(running) == 3
    places.clear(2)
    places.wait(later := event("a"))
    assert places.take() is None
    for one in running:
        places.give_back(one)
    assert places.take() is later
