"""The places of the queue: bounded, the begun before the new, and no interpreter started in vain."""

from __future__ import annotations

from local.event import Event, Target
from local.places import COLD_STARTS, Place, Places


def event(function: str, depth: int = 0) -> Event:
    return Event(Target("000000000000", "us-east-1", function, "live"), b"{}", "id", 0.0, function, depth)


def waiting(limit: int, *functions: str) -> Places:
    places = Places(limit)
    for function in functions:
        places.wait(event(function))
    return places


def take_all(places: Places) -> list[Place]:
    taken = []
    while place := places.take():
        taken.append(place)
    return taken


def test_no_more_run_at_once_than_the_limit() -> None:
    places = waiting(3, *"abcdefgh")
    warm(places, "a", "b", "c", "d")
    assert len(take_all(places)) == 3


def warm(places: Places, *functions: str) -> None:
    """Run an event of each function, so that it has a warm interpreter."""
    for function in functions:
        place = Place(event(function), cold=True)
        places._functions[place.event.target].running += 1
        places._functions[place.event.target].starting += 1
        places._running += 1
        places._starting += 1
        places.give_back(place, seconds=0.5, interpreter_lives=True)


def test_a_few_events_wait_for_the_one_interpreter_instead_of_starting_more() -> None:
    places = waiting(8, *"aaaa")
    first = take_all(places)
    assert len(first) == 1
    places.give_back(first[0], seconds=0.5, interpreter_lives=True)
    assert len(take_all(places)) == 1


def test_many_events_start_more_interpreters_but_few_at_once() -> None:
    places = waiting(8, *"a" * 500)
    assert len(take_all(places)) == COLD_STARTS


def test_slow_calls_start_more_interpreters() -> None:
    places = waiting(8, *"a" * 4)
    for _ in range(20):
        place = places.take()
        assert place is not None
        places.give_back(place, seconds=5.0, interpreter_lives=True)
        places.wait(place.event)
    assert len(take_all(places)) > 1


def test_an_interpreter_that_ended_with_its_call_is_cold_again() -> None:
    places = waiting(8, "a", "a")
    place = places.take()
    assert place is not None
    places.give_back(place, seconds=0.5, interpreter_lives=True)
    place = places.take()
    assert place is not None
    assert not place.cold
    places.give_back(place, seconds=0.1, interpreter_lives=False)
    places.wait(event("a"))
    again = places.take()
    assert again is not None
    assert again.cold


def test_what_was_begun_is_finished_first() -> None:
    places = Places(1)
    places.wait(event("first"))
    places.wait(event("last", depth=2))
    place = places.take()
    assert place is not None
    assert place.event.target.name == "last"
