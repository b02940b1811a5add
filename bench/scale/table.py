"""DynamoDB's table: how much it takes of what is written at once, and what its refusals cost the callers.

A refused write is sent again by the function's client, five times in all, after waits that grow; what is still refused
then fails the whole event. So a table that is too small shows as longer runs first, and as failures later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.scale import limits

ATTEMPTS = 5
"""Of a write; as ATTEMPTS in functions/core/aws.py, which a test holds them to."""
FIRST_WAIT = 1.0
"""Seconds: the longest first wait after throttling; each further one is twice as long, and half of it is waited on
average."""
_HALVINGS = 24
"""Of the search for the share of writes that a table takes."""


class Writes(NamedTuple):
    """The records that one event writes: those to ids of their own, and those to the one busy id."""

    spread: float
    hot: float = 0.0


class Taken(NamedTuple):
    """What a table takes of what is written at once, as the shares of the attempts that it takes."""

    spread: float
    hot: float

    def all_within(self, writes: Writes, attempts: int) -> float:
        """Return how likely all of an event's records are written within so many attempts."""
        spread, hot = (1 - math.pow(1 - share, attempts) for share in self)
        return math.pow(spread, writes.spread) * math.pow(hot, writes.hot)

    def succeeds(self, writes: Writes) -> float:
        """Return how likely an event's records are all written."""
        return self.all_within(writes, ATTEMPTS)

    def waits(self, writes: Writes, request: float) -> float:
        """Return the seconds that an event waits for the table to take all of it, each further request included."""
        return sum(
            (1 - self.all_within(writes, attempt)) * (FIRST_WAIT * 2.0 ** (attempt - 1) / 2 + request)
            for attempt in range(1, ATTEMPTS)
        )

    def written(self, writes: Writes) -> Writes:
        """Return how many of an event's records are written, be the event a success or not."""
        spread, hot = (1 - math.pow(1 - share, ATTEMPTS) for share in self)
        return Writes(writes.spread * spread, writes.hot * hot)


ALL = Taken(1.0, 1.0)


@dataclass
class Table:
    """An on-demand table: what it takes at once is twice its highest peak so far, up to its quota.

    Attributes:
        warm: writes a second that it takes at once.
        quota: writes a second that it never exceeds.
        key: writes a second that one id takes.
    """

    warm: float = limits.WARM_WRITES.value
    quota: float = limits.TABLE_WRITES.value
    key: float = limits.KEY_WRITES.value
    _peak: float = 0.0
    _since: float = 0.0

    def note(self, now: float, rate: float) -> None:
        """Note so many writes a second; what half an hour's peak allows beyond the present is there at its end."""
        self._peak = max(self._peak, rate)
        if now - self._since >= limits.DOUBLING.value:
            self.warm = min(self.quota, max(self.warm, 2 * self._peak))
            self._peak, self._since = 0.0, now

    def take(self, kinds: Sequence[tuple[float, Writes]], rate: Callable[[Taken], float]) -> Taken:
        """Find the share of the attempts that the table takes.

        Args:
            kinds: the kinds of events by their share of all.
            rate: the events a second that are run where the table takes such shares: the longer the runs wait for it,
                the fewer.
        """

        def written(taken: Taken) -> Writes:
            each = [(share, taken.written(writes)) for share, writes in kinds]
            events = rate(taken)
            return Writes(*(events * sum(share * writes[place] for share, writes in each) for place in (0, 1)))

        taken = ALL
        if written(taken).hot > self.key:
            taken = taken._replace(hot=_largest(lambda hot: written(Taken(taken.spread, hot)).hot <= self.key))
        if sum(written(taken)) > self.warm:
            hot = taken.hot
            taken = _with_spread(lambda spread: sum(written(Taken(spread, min(hot, spread)))) <= self.warm, hot)
        return taken


def _with_spread(fits: Callable[[float], bool], hot: float) -> Taken:
    spread = _largest(fits)
    return Taken(spread, min(hot, spread))


def _largest(fits: Callable[[float], bool]) -> float:
    """Return the largest share from 0 to 1 that fits; the smaller the share, the less is written."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
