"""Requests of many entries: how they are cut, what is sent again, and when that ends."""

import math
import time
from typing import Any, NamedTuple

import pytest

from core import aws, bulk
from core.aws import ServiceError


class Entry(NamedTuple):
    name: int
    size: int = 1


class Service:
    """Notes its requests; `faults` are the backoffs of each entry's next failures."""

    def __init__(self, **faults: list[float | None]) -> None:
        self.requests: list[list[int]] = []
        self.faults = {int(name.removeprefix("entry")): backoffs for name, backoffs in faults.items()}

    def send(self, part: list[Entry]) -> list[tuple[Entry, ServiceError]]:
        self.requests.append([entry.name for entry in part])
        return [(entry, self._error(entry)) for entry in part if self.faults.get(entry.name)]

    def _error(self, entry: Entry) -> ServiceError:
        return ServiceError(f"Fault{entry.name}", "as the test asked", backoff=self.faults[entry.name].pop(0))


def send_all(service: Service, entries: list[Entry], *, deadline: float = math.inf) -> list[list[int]]:
    bulk.send_all(entries, service.send, at_most=3, bytes_at_most=10, deadline=deadline)
    return service.requests


def entries(count: int, size: int = 1) -> list[Entry]:
    return [Entry(name, size) for name in range(count)]


@pytest.mark.parametrize(
    ("count", "requests"),
    [(0, []), (1, [[0]]), (3, [[0, 1, 2]]), (4, [[0, 1, 2], [3]]), (7, [[0, 1, 2], [3, 4, 5], [6]])],
)
def test_entries_are_cut_by_their_number(count: int, requests: list[list[int]]) -> None:
    assert send_all(Service(), entries(count)) == requests


def test_entries_are_cut_by_their_size() -> None:
    assert send_all(Service(), entries(3, size=5)) == [[0, 1], [2]]
    assert send_all(Service(), entries(3, size=6)) == [[0], [1], [2]]


def test_an_entry_larger_than_a_request_may_be_is_left_to_the_service_to_refuse() -> None:
    assert send_all(Service(), [Entry(0), Entry(1, size=11), Entry(2)]) == [[0], [1], [2]]


def test_what_failed_is_sent_again_without_the_others(no_waiting: list[float]) -> None:
    service = Service(entry1=[1.0], entry4=[0.05, 0.05])
    assert send_all(service, entries(5)) == [[0, 1, 2], [3, 4], [1, 4], [4]]
    assert len(no_waiting) == 2


def test_what_would_fail_again_is_not_sent_again(no_waiting: list[float]) -> None:
    service = Service(entry0=[1.0], entry1=[None])
    with pytest.raises(ServiceError, match=r"^Fault1: "):
        send_all(service, entries(2))
    assert (service.requests, no_waiting) == ([[0, 1]], [])


def test_a_failure_that_lasts_passes_on_after_as_many_attempts_as_the_client_makes(no_waiting: list[float]) -> None:
    service = Service(entry0=[1.0] * 99)
    with pytest.raises(ServiceError, match=r"^Fault0: "):
        send_all(service, entries(1))
    assert len(service.requests) == aws.ATTEMPTS


def test_the_waits_grow_and_are_those_of_the_slowest(no_waiting: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "jitter", lambda longest: longest)
    send_all(Service(entry0=[0.05] * 4, entry1=[1.0] * 2), entries(2))
    assert no_waiting == [1.0, 2.0, 0.2, 0.4]


def test_the_waits_are_random_parts(no_waiting: list[float]) -> None:
    for _ in range(10):
        send_all(Service(entry0=[1.0]), entries(1))
    assert all(0 <= wait <= 1 for wait in no_waiting)
    assert len(set(no_waiting)) == 10


def test_nothing_is_waited_for_beyond_the_deadline(no_waiting: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "jitter", lambda longest: longest)
    with pytest.raises(ServiceError, match=r"^Fault0: "):
        send_all(Service(entry0=[1.0] * 4), entries(1), deadline=time.monotonic() + 1.5)
    assert no_waiting == [1.0]


def test_nothing_is_sent_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    service, clock = Service(), [0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def slow(part: list[Entry]) -> Any:
        clock[0] += 2
        return service.send(part)

    with pytest.raises(ServiceError, match=r"^OutOfTime: "):
        bulk.send_all(entries(9), slow, at_most=3, bytes_at_most=10, deadline=3)
    assert len(service.requests) == 2
