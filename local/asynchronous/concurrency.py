"""Which waiting event runs next: parallel invocations are bounded, and interpreters started only where they pay.

The embedded AWS keeps an interpreter for each parallel invocation of a function. Starting one costs as much as some
dozens of calls of a warm one, so a burst that took every place at once would be slow.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from local.event import Event, Target

COLD_START = 0.5
"""Seconds that an interpreter's start takes, about."""
COLD_STARTS = 2
"""Interpreters that may start at once."""
FIRST_GUESS = 0.02
"""Seconds that a warm call takes, before one was seen."""
SMOOTHING = 0.2
"""The weight of the latest call in the running mean."""


@dataclass
class _Function:
    waiting: deque[Event] = field(default_factory=deque)
    running: int = 0
    warm: int = 0
    starting: int = 0
    duration: float = FIRST_GUESS

    @property
    def there(self) -> int:
        """Interpreters that there are or soon will be."""
        return self.warm + self.starting

    @property
    def pays_to_start(self) -> bool:
        """Whether the interpreters there are would take longer for what waits than another one takes to start."""
        return self.there <= 0 or len(self.waiting) * self.duration > self.there * COLD_START


@dataclass(frozen=True)
class Place:
    """Leave for one event to run; given back when it has."""

    event: Event
    cold: bool


@dataclass
class Places:
    """The places of a queue, with the events that wait for one."""

    limit: int
    """Invocations at once."""
    _functions: dict[Target, _Function] = field(default_factory=dict)
    _running: int = 0
    _starting: int = 0

    @property
    def _share(self) -> int:
        """Interpreters that one function may have: a chain's functions run at once, and share the processor."""
        return max(1, self.limit // 2)

    def wait(self, event: Event) -> None:
        """Let an event wait for a place."""
        self._functions.setdefault(event.target, _Function()).waiting.append(event)

    def clear(self, limit: int) -> None:
        """Forget the waiting events, but not which interpreters are warm, and set another limit."""
        self.limit = limit
        for function in self._functions.values():
            function.waiting.clear()

    def take(self) -> Place | None:
        """Return the next event to run now, if there is one and a place for it.

        Functions further down the chain come first: what was begun is finished before more is begun.
        """
        if self._running >= self.limit:
            return None
        waiting = [function for function in self._functions.values() if function.waiting]
        for function in sorted(waiting, key=lambda function: -function.waiting[0].depth):
            cold = function.running - function.starting >= function.warm
            if cold and not (self._starting < COLD_STARTS and self._share > function.there and function.pays_to_start):
                continue
            return self._occupy(function, cold=cold)
        return None

    def _occupy(self, function: _Function, *, cold: bool) -> Place:
        self._running += 1
        function.running += 1
        self._starting += cold
        function.starting += cold
        return Place(function.waiting.popleft(), cold)

    def give_back(self, place: Place, *, seconds: float, interpreter_lives: bool | None) -> None:
        """Free a place after its call; `interpreter_lives` is None when the call never reached an interpreter."""
        function = self._functions[place.event.target]
        self._running -= 1
        function.running -= 1
        self._starting -= place.cold
        function.starting -= place.cold
        if interpreter_lives is None:
            return
        if place.cold:
            function.warm += interpreter_lives
        else:
            function.warm -= not interpreter_lives
            function.duration += SMOOTHING * (seconds - function.duration)
