"""Which waiting event runs next: invocations at once are bounded, and what was begun is finished first.

Each parallel invocation of a function needs an interpreter of its own, whose start takes as long as dozens of calls. A
few events are done sooner one after the other, so that a function gets more places as more events wait for it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from time import monotonic

from .event import Event
from .targets import Target

WORTH_A_START = 25
"""Waiting events for which one more interpreter is started."""
SLOW = 2.0
"""Seconds after which a call is slow. Who waits for a slow one gets a place beside it."""


@dataclass
class Places:
    """The places of a queue, with the events that wait for one."""

    limit: int
    """Invocations at once."""
    _waiting: dict[Target, deque[Event]] = field(default_factory=dict)
    _running: defaultdict[Target, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """Since when each event of a function runs."""

    def wait(self, event: Event) -> None:
        """Let an event wait for a place."""
        self._waiting.setdefault(event.target, deque()).append(event)

    def clear(self, limit: int) -> None:
        """Forget the waiting events, and set another limit."""
        self.limit = limit
        self._waiting.clear()

    def take(self) -> Event | None:
        """Return the next event to run now, if there is one and a place for it; the deepest in its chain comes first.

        Its place is taken until `give_back`.
        """
        if sum(map(len, self._running.values())) >= self.limit:
            return None
        ready = [
            waiting for target, waiting in self._waiting.items() if len(self._running[target]) < self._most(target)
        ]
        if not ready:
            return None
        event = max(ready, key=lambda waiting: waiting[0].depth).popleft()
        self._running[event.target][id(event)] = monotonic()
        return event

    def _most(self, target: Target) -> int:
        """Return how many places a function may have: half of all, because a chain's functions run at the same time."""
        waiting, now = len(self._waiting[target]), monotonic()
        slow = any(now - since > SLOW for since in self._running[target].values())
        worth = self.limit if slow else 1 + waiting // WORTH_A_START
        return max(1, min(self.limit // 2, worth)) if waiting else 0

    def give_back(self, event: Event) -> None:
        """Free the place of an event."""
        del self._running[event.target][id(event)]
