"""What waits where: the stages as the simulation sees them, each with its asynchronous queue and its instances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.scale.outcome import latency_class
from bench.scale.table import Writes

MOST_BACKOFFS = 9
"""After which the pause grows no more."""
MOMENT = 1e-6
"""Seconds that two times may be apart and still be the same."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A function as the simulation sees it; times in seconds.

    Attributes:
        duration: of a warm run that nothing delays.
        cold: what the first run of an instance takes longer.
        retries: of an event that failed.
        reserved: the function's reserved concurrency, if it has any.
        kinds: what each event writes to the table, by kind; the last stage's alone.
        request: of one more request to the table.
        repeated: what a run takes longer that finds its records stored already, since an earlier one failed halfway.
    """

    name: str
    duration: float
    cold: float = 0.0
    retries: int = 2
    reserved: float = math.inf
    kinds: Sequence[Writes] = ()
    request: float = 0.004
    repeated: float = 0.0

    def units(self, writes: Writes, *, again: bool) -> Writes:
        """Return the write units of an event.

        A batch that comes again finds its records: the insert that fails is paid for, and so is the put that tells why.
        """
        times = 3 if again and self.repeated else 1
        return Writes(writes.spread * times, writes.hot * times)


class Cohort(NamedTuple):
    """Events of a stage that are tried at the same time and have met the same."""

    number: float
    arrived: float
    spent: float
    """Seconds between their producer and this stage."""
    backoffs: int = 0
    retries: int = 0
    kind: int = 0


@dataclass
class Queue:
    """A stage's asynchronous queue, and its instances."""

    stage: Stage
    allowance: float
    """New instances that the function may have now."""
    waiting: float = 0.0
    instances: float = 0.0
    expected: float = 0.0
    """Events a second that the stage before handed on in the last step."""
    seconds: float = 0.0
    """Of a run, as it was in the last step."""
    runs: float = 0.0
    busy: float = 0.0
    """Seconds of all runs."""
    _due: dict[float, dict[tuple[int, ...], list[float]]] = field(default_factory=dict)
    """By the time of their next attempt: like cohorts as their number, and the sums of when they came and were sent."""

    def put(self, cohort: Cohort, ready: float, now: float) -> None:
        """Let events wait for an attempt; those of about the same age and the same history are counted together."""
        if cohort.number <= 0:
            return
        age, backoffs = now - cohort.arrived, min(cohort.backoffs, MOST_BACKOFFS)
        key = backoffs, cohort.retries, cohort.kind, _age_class(age), latency_class(cohort.spent) // 3
        sums = self._due.setdefault(ready, {}).setdefault(key, [0.0, 0.0, 0.0])
        for place, value in enumerate((1.0, cohort.arrived, cohort.spent)):
            sums[place] += cohort.number * value
        self.waiting += cohort.number

    def due(self, now: float) -> float:
        """Return how many events are to be tried now."""
        return sum(sums[0] for ready, like in self._due.items() if ready <= now + MOMENT for sums in like.values())

    def take(self, now: float) -> list[Cohort]:
        """Return the events that are to be tried now."""
        taken = [
            Cohort(number, arrived / number, spent / number, *key[:3])
            for ready in sorted(ready for ready in self._due if ready <= now + MOMENT)
            for key, (number, arrived, spent) in self._due.pop(ready).items()
        ]
        self.waiting = max(0.0, self.waiting - sum(cohort.number for cohort in taken)) if self._due else 0.0
        return taken

    def grow(self, busy: float) -> float:
        """Give the function the instances that it needs; return how many are new."""
        new = max(0.0, busy - self.instances)
        self.instances += new
        self.allowance -= new
        return new


def _age_class(seconds: float) -> int:
    """Return which ages are counted together: older ones within ten minutes."""
    return int(seconds // 600) if seconds > 1800 else -1 - latency_class(seconds + 1)
