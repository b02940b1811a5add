"""What the queue has done so far, counted in Lambda's own metrics where Lambda has one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from .targets import Target


class Count(NamedTuple):
    """A metric of one function's qualifier."""

    metric: str
    target: Target


class Loss(NamedTuple):
    """A record or dead letter that could not be sent."""

    metric: str
    request_id: str
    reason: str


@dataclass
class Counts:
    """The queue's counts since it began."""

    metrics: Counter[Count] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)
    unsupported: set[str] = field(default_factory=set)
    """Targets that the embedded AWS can't deliver to, as sentences."""
    errors: list[str] = field(default_factory=list)
    """The queue's own errors: there should be none."""
    accepted: int = 0
    """Deliveries, of which an event has one, or two if it is delivered twice."""
    ended: int = 0
    calls: int = 0

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.accepted - self.ended

    def count(self, metric: str, target: Target) -> None:
        """Add one to a metric."""
        self.metrics[Count(metric, target)] += 1
