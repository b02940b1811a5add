"""Faults to inject, decided by a seed: the same input and seed meet the same faults, in whatever order they run."""

from __future__ import annotations

import random
from typing import NamedTuple

from local.event import Result

KINDS = (Result.FUNCTION_ERROR, Result.SYSTEM_ERROR, Result.THROTTLED)


class Fault(NamedTuple):
    """An attempt's injected failure; `after` the function ran (its effects stay), or instead of running it."""

    result: Result
    after: bool


class Faults(NamedTuple):
    """Which faults the queue injects."""

    seed: int = 0
    duplicate: bool = False
    """Deliver each event twice, as a queue that is only eventually consistent may."""
    fail_rate: float = 0.0
    """The share of the calls that fail, from 0 to 1."""
    kinds: tuple[Result, ...] = KINDS
    stop_after: int | None = None
    """Stop delivering for good after so many calls."""

    def strike(self, lineage: str, attempt: int) -> Fault | None:
        """Return the fault that this attempt of this event meets, if any."""
        if not self.fail_rate:
            return None
        # A generator of the attempt's own: the order in which parallel attempts come doesn't matter.
        dice = random.Random(f"{self.seed}/{lineage}/{attempt}")  # noqa: S311 - repeatable on purpose
        if dice.random() >= self.fail_rate:
            return None
        result = dice.choice(self.kinds)
        return Fault(result, after=result is Result.FUNCTION_ERROR and dice.random() < 0.5)
