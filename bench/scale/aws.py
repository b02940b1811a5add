"""AWS's documented limits, as read on 2026-11-25, and a table under them.

The functions' client sends a refused write again, five times in all, after waits that grow. A write that is still
refused fails the whole event. So a table that is too small shows as longer runs first, and as failures later.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, configuration-concurrency.html
CONCURRENCY = 1_000  # executions at once of all functions of an account; can be raised
UNRESERVED = 100  # executions at once that no function can reserve
# https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
NEW_INSTANCES = 1_000  # of one function in so many seconds; the allowance is refilled continuously and not saved up
SCALING_PERIOD = 10  # seconds
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
FIRST_BACKOFF = 1  # seconds until a throttled event is tried again; the wait grows exponentially
LONGEST_BACKOFF = 300  # seconds between two attempts of a throttled event
EVENT_AGE = 21_600  # seconds for which an event is tried; then it is a dead letter
RETRY = 60  # seconds before a failed event's first retry, and twice that before the second
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html, ServiceQuotas.html
WARM_WRITES = 4_000  # writes a second that a new on-demand table takes at once
DOUBLING = 1_800  # seconds within which a table takes twice its previous peak
TABLE_WRITES = 40_000  # writes a second of one on-demand table; can be raised

# Of the functions' client, which a test holds them to.
ATTEMPTS = 5
FIRST_WAIT = 1.0  # seconds, the longest first wait after throttling; it doubles, and half of it is waited on average


def written(share: float, attempts: int = ATTEMPTS) -> float:
    """Return how likely a record is written within so many attempts, of which the table takes a share."""
    return 1.0 - math.pow(1.0 - share, attempts)


def waits(share: float, records: float, request: float) -> float:
    """Return the seconds that an event waits until the table has taken its records, each further request included."""
    return sum(
        (1 - math.pow(written(share, attempt), records)) * (FIRST_WAIT * 2.0 ** (attempt - 1) / 2 + request)
        for attempt in range(1, ATTEMPTS)
    )


@dataclass
class Table:
    """An on-demand table: it takes twice its highest peak so far, up to its quota, both in writes a second."""

    warm: float = WARM_WRITES
    quota: float = TABLE_WRITES
    peak: float = 0.0
    since: float = 0.0

    def note(self, now: float, rate: float) -> None:
        """Note so many writes a second; after half an hour the table takes twice the peak of that time."""
        self.peak = max(self.peak, rate)
        if now - self.since >= DOUBLING:
            self.warm = min(self.quota, max(self.warm, 2 * self.peak))
            self.peak, self.since = 0.0, now

    def share(self, rate: Callable[[float], float]) -> float:
        """Find the share of the attempts that the table takes; `rate` says how much is then written a second."""
        if rate(1.0) <= self.warm:
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if rate(middle) <= self.warm else (low, middle)
        return low
