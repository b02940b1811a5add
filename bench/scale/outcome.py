"""What came of a simulation: the state after each step, what became of the events, how long they took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

CLASSES = 1.25
"""Latencies within this ratio are counted together, with their mean."""


class Moment(NamedTuple):
    """The state at the end of a step."""

    time: float
    arrived: float
    stored: float
    waiting: float
    dead: float
    latency: float
    """Mean seconds from the producer to the table of what was stored in this step."""
    running: Sequence[float]
    """Executions at once, by stage."""
    instances: Sequence[float]
    writes: float
    """Written a second."""
    warm: float


@dataclass
class Outcome:
    """What became of the events."""

    moments: list[Moment] = field(default_factory=list)
    arrived: float = 0.0
    stored: float = 0.0
    dead: dict[str, float] = field(default_factory=dict)
    """Dead letters by their reason."""
    writes: float = 0.0
    """Write units that the table took, those for records that were there already included."""
    saturated: dict[str, float] = field(default_factory=dict)
    """The limits that were reached, and when first."""
    first_dead: float | None = None
    runs: Sequence[float] = ()
    busy: Sequence[float] = ()
    latencies: dict[int, list[float]] = field(default_factory=dict)

    @property
    def waiting(self) -> float:
        """Events in the queues at the end."""
        return self.moments[-1].waiting

    @property
    def lost(self) -> float:
        """Events that are nowhere; AWS documents that there may be some, but not when: see docs/scale.md."""
        return self.arrived - self.stored - sum(self.dead.values()) - self.waiting

    def latency(self, share: float) -> float:
        """Return the seconds, from the producer to the table, that so large a share did not exceed."""
        left = share * sum(number for number, _ in self.latencies.values())
        for _, (number, seconds) in sorted(self.latencies.items()):
            left -= number
            if left <= 1e-6 * number:
                return seconds / number
        return math.nan

    def at(self, time: float) -> Moment:
        """Return the state at a time, or at the end."""
        return next((moment for moment in self.moments if moment.time >= time), self.moments[-1])

    def note_latency(self, number: float, seconds: float) -> None:
        """Count events that were stored after so many seconds."""
        if number > 0:
            known = self.latencies.setdefault(latency_class(seconds), [0.0, 0.0])
            known[0] += number
            known[1] += number * seconds


def latency_class(seconds: float) -> int:
    """Return which latencies are counted together."""
    return round(math.log(max(seconds, 1e-6), CLASSES))
