"""Requests of many entries, each of which succeeds or fails on its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from .aws import AFTER_THROTTLING, ATTEMPTS, ServiceError, jitter


class Sized(Protocol):
    """An entry that knows its size."""

    @property
    def size(self) -> int:
        """The bytes that count towards the limit of a request."""


Entry = TypeVar("Entry", bound=Sized)


def send_all(
    entries: Iterable[Entry],
    send: Callable[[list[Entry]], Iterable[tuple[Entry, ServiceError]]],
    *,
    at_most: int,
    bytes_at_most: int,
    deadline: float,
) -> None:
    """Send all entries. Those that fail are sent again without the others, with the client's waits.

    Args:
        entries: what to send.
        send: sends one request, and returns what failed of it.
        at_most: the entries that a request may hold.
        bytes_at_most: the size that they may have together.
        deadline: when to give up, by the monotonic clock.

    Raises:
        ServiceError: an entry was refused, still failed at the last attempt, or the time was up.
    """
    for attempt in range(1, ATTEMPTS + 1):
        failed: list[tuple[Entry, ServiceError]] = []
        for part in _parts(entries, at_most, bytes_at_most):
            check_time(deadline)
            failed += send(part)
        if not failed:
            return
        error = max((error for _, error in failed), key=_patience)
        wait = jitter((error.backoff or 0) * 2 ** (attempt - 1))
        if error.backoff is None or attempt == ATTEMPTS or time.monotonic() + wait > deadline:
            raise error
        time.sleep(wait)
        entries = [entry for entry, _ in failed]


def check_time(deadline: float) -> None:
    """Raise ServiceError if a deadline has passed, so that the function fails before Lambda stops it."""
    if time.monotonic() > deadline:
        raise ServiceError(
            "OutOfTime", "three quarters of the function's time were not enough", backoff=AFTER_THROTTLING
        )


def _patience(error: ServiceError) -> float:
    """Return how long to wait before another attempt; infinity if none can help."""
    return math.inf if error.backoff is None else error.backoff


def _parts(entries: Iterable[Entry], at_most: int, bytes_at_most: int) -> Iterator[list[Entry]]:
    """Cut entries into requests, in order. An entry that is larger than a request may be gets one of its own."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        if part and (len(part) == at_most or size + entry.size > bytes_at_most):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part
