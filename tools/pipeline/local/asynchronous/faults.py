"""Faults to inject. A seed decides them: the same input meets the same faults, in whatever order it runs."""

import random
from typing import NamedTuple

from .event import Result

KINDS = (Result.FUNCTION_ERROR, Result.SYSTEM_ERROR, Result.THROTTLED)


class Fault(NamedTuple):
    """An attempt's injected failure: after the function ran, so that its effects stay, or instead of running it."""

    result: Result
    after: bool


class Faults(NamedTuple):
    """Which faults the queue injects."""

    seed: int = 0
    duplicate: bool = False  # deliver each event twice, as a queue that is only eventually consistent may
    fail_rate: float = 0.0  # the share of the calls that fail, from 0 to 1
    kinds: tuple[Result, ...] = KINDS
    stop_after: int | None = None  # deliver nothing more after so many calls
    throttle_rate: float = 0.0  # the share of the table's writes that are throttled, from 0 to 1
    lose_rate: float = 0.0
    """The share of the accepted events that are deleted without a word, from 0 to 1; AWS documents that it happens:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""

    def strike(self, lineage: str, attempt: int) -> Fault | None:
        """Return the fault that this attempt of this event meets, if any."""
        if not self.fail_rate:
            return None
        dice = self._dice(lineage, attempt)
        if dice.random() >= self.fail_rate:
            return None
        result = dice.choice(self.kinds)
        return Fault(result, after=result is Result.FUNCTION_ERROR and dice.random() < 0.5)

    def loses(self, lineage: str) -> bool:
        """Tell whether an accepted event is lost; each delivery of it for itself."""
        return bool(self.lose_rate) and self._dice(lineage, 0).random() < self.lose_rate

    def throttles(self, write: str, attempt: int) -> bool:
        """Tell whether this attempt of this write is throttled."""
        return bool(self.throttle_rate) and self._dice(write, attempt).random() < self.throttle_rate

    def _dice(self, lineage: str, attempt: int) -> random.Random:
        """Return a generator for one attempt alone, so that the order of parallel attempts doesn't matter."""
        return random.Random(f"{self.seed}/{lineage}/{attempt}")  # noqa: S311 - repeatable on purpose
