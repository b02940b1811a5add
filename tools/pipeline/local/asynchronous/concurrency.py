"""Which waiting event runs next: invocations at once are bounded, and what was begun is finished first.

Each parallel invocation of a function needs an interpreter of its own, whose start takes as long as dozens of calls. A
few events are done sooner one after the other, so that a function gets more places as more events wait for it.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from time import monotonic

from .event import Event
from .targets import Target

WORTH_A_START = 25  # waiting events for which one more interpreter is started
SLOW = 2.0  # seconds after which a call is slow. Who waits for a slow one gets a place beside it.


@dataclass
class Places:
    """The places of a queue, with the events that wait for one."""

    limit: int  # invocations at once
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
        """Return the next event with a place, the deepest in its chain first; the place is taken until `give_back`."""
        if sum(map(len, self._running.values())) >= self.limit:
            return None
        ready = [waiting for target, waiting in self._waiting.items() if waiting and self._has_place(target)]
        if not ready:
            return None
        event = max(ready, key=lambda waiting: waiting[0].depth).popleft()
        self._running[event.target][id(event)] = monotonic()
        return event

    def _has_place(self, target: Target) -> bool:
        """Tell whether a function has a place: half of all at most, as a chain's functions run at the same time."""
        running = self._running[target]
        if not running or len(running) >= self.limit // 2:
            return not running
        if len(running) <= len(self._waiting[target]) // WORTH_A_START:
            return True
        now = monotonic()
        return any(now - since > SLOW for since in running.values())

    def give_back(self, event: Event) -> None:
        """Free the place of an event."""
        del self._running[event.target][id(event)]
