"""Limits the rate of calls: to what the operator allows, and further while AWS throttles."""

import time
from collections.abc import Callable
from threading import Lock

CHUNK = 0.2  # seconds' worth of permits that are handed out at once
CATCH_UP = 1.0  # seconds' worth of unused permits that may be caught up on
RELIEF = 0.5  # seconds after throttling in which more of it slows nothing down: it answers calls that were under way
RECOVERY = 1.4  # the factor by which the rate grows again each second
SLOWEST = 2.0  # calls a second


class RateLimiter:
    """Hands out permits, each for one call, to any number of threads."""

    def __init__(
        self,
        rate: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Begin with the first permit at once; `rate` is calls a second, None for as many as there are callers."""
        self._bound, self._clock, self._wait = rate, clock, wait
        self._lock = Lock()
        self._next = clock()
        self._reduced: tuple[float, float] | None = None
        self._window, self._calls, self._seen = clock(), 0, 0.0

    def take(self, most: int = 1) -> int:
        """Wait for one permit at least, and return how many there are, up to `most`."""
        with self._lock:
            rate = self._rate(self._clock())
            count = most if rate is None else max(1, min(most, int(rate * CHUNK)))
        self.take_all(count)
        return count

    def take_all(self, count: int) -> None:
        """Wait until so many permits may be used, which are those of the time after."""
        with self._lock:
            now = self._clock()
            rate = self._rate(now)
            if rate is None:
                return
            due = self._next = max(self._next, now - CATCH_UP)
            self._next += count / rate
        if due > now:
            self._wait(due - now)

    def give_back(self, count: int) -> None:
        """Return permits that were not used."""
        with self._lock:
            rate = self._rate(self._clock())
            if rate is not None:
                self._next -= count / rate

    def accepted(self, permits: int = 1) -> None:
        """Note that a call with so many permits went through."""
        with self._lock:
            now = self._clock()
            self._calls += permits
            if now - self._window >= 1:
                self._seen = self._calls / (now - self._window)
                self._window, self._calls = now, 0

    def throttled(self) -> None:
        """Note that AWS refused a call because there are too many: halve the rate."""
        with self._lock:
            now = self._clock()
            if self._reduced and now - self._reduced[1] < RELIEF:
                return
            current = self._rate(now) or max(self._seen, self._calls / max(now - self._window, RELIEF))
            self._reduced = (max(SLOWEST, current / 2), now)
            self._next = now

    def _rate(self, now: float) -> float | None:
        """Return the calls a second that are allowed now."""
        if self._reduced is None:
            return self._bound
        rate, since = self._reduced
        recovered: float = rate * RECOVERY ** min(now - since, 60)
        return recovered if self._bound is None else min(recovered, self._bound)
