"""What the queue has done so far, counted in Lambda's own metrics where Lambda has one."""

from collections import Counter, defaultdict
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
    errors: list[str] = field(default_factory=list)  # the queue's own errors: there should be none
    _ages: defaultdict[Target, list[float]] = field(default_factory=lambda: defaultdict(list))
    accepted: int = 0  # deliveries, of which an event has one, or two if it is delivered twice
    ended: int = 0
    calls: int = 0

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.accepted - self.ended

    def count(self, metric: str, target: Target) -> None:
        """Add one to a metric."""
        self.metrics[Count(metric, target)] += 1

    def age(self, target: Target, seconds: float) -> None:
        """Note how old an event was when Lambda tried it."""
        self._ages[target].append(seconds)

    def take_ages(self) -> dict[Target, list[float]]:
        """Return the ages noted since the last time, in Lambda seconds."""
        taken, self._ages = self._ages, defaultdict(list)
        return taken
