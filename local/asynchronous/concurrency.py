"""Which waiting event runs next: invocations at once are bounded, and what was begun is finished first.

Each parallel invocation of a function needs an interpreter of its own, whose start takes as long as dozens of calls. A
few events are done sooner one after the other, so that a function gets more places as more events wait for it.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from time import monotonic

from .event import Event
from .targets import Target

WORTH_A_START = 25
"""Waiting events for which one more interpreter is started."""
PATIENCE = 2.0
"""Seconds after which an event that waits gets a place even so: the calls before it are slow."""


@dataclass
class Places:
    """The places of a queue, with the events that wait for one."""

    limit: int
    """Invocations at once."""
    _waiting: dict[Target, deque[tuple[float, Event]]] = field(default_factory=dict)
    """Since when, and which."""
    _running: Counter[Target] = field(default_factory=Counter)

    def wait(self, event: Event) -> None:
        """Let an event wait for a place."""
        self._waiting.setdefault(event.target, deque()).append((monotonic(), event))

    def clear(self, limit: int) -> None:
        """Forget the waiting events, and set another limit."""
        self.limit = limit
        self._waiting.clear()

    def take(self) -> Event | None:
        """Return the next event to run now, if there is one and a place for it; the deepest in its chain comes first.

        Its place is taken until `give_back`.
        """
        if self._running.total() >= self.limit:
            return None
        ready = [waiting for target, waiting in self._waiting.items() if self._running[target] < self._most(waiting)]
        if not ready:
            return None
        _, event = max(ready, key=lambda waiting: waiting[0][1].depth).popleft()
        self._running[event.target] += 1
        return event

    def _most(self, waiting: deque[tuple[float, Event]]) -> int:
        """Return how many places a function may have: half of all, because a chain's functions run at the same time."""
        if not waiting:
            return 0
        worth = 1 + len(waiting) // WORTH_A_START
        impatient = monotonic() - waiting[0][0] > PATIENCE
        return max(1, self.limit // 2 if impatient else min(self.limit // 2, worth))

    def give_back(self, event: Event) -> None:
        """Free the place of an event."""
        self._running[event.target] -= 1
