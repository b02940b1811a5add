"""When Lambda tries an event again, and when it gives up; the rules alone, without a clock.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from enum import Enum
from typing import NamedTuple

from .event import EventInvokeConfig, Result

MAXIMUM_BACKOFF = 300  # Lambda seconds
DEFAULT_MINUTE = 0.1  # real seconds that a Lambda minute lasts unless told otherwise


class Condition(Enum):
    """How an event ended, as the invocation record's `condition` says it."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


class Clock(NamedTuple):
    """The scale between Lambda's waiting times and real ones."""

    minute: float = DEFAULT_MINUTE  # real seconds that a Lambda minute lasts

    def real(self, seconds: float) -> float:
        """Return the real seconds that a wait of so many Lambda seconds lasts."""
        return seconds * self.minute / 60


class Retry(NamedTuple):
    """Try the event again after `delay` Lambda seconds."""

    delay: float


def backoff(earlier: int) -> float:
    """Return the Lambda seconds to wait after throttling or a system error, `earlier` of which came before."""
    return float(min(2 ** min(earlier, 16), MAXIMUM_BACKOFF))


def after_failure(
    result: Result, *, retries: int, backoffs: int, age: float, config: EventInvokeConfig
) -> Retry | Condition:
    """Decide what follows a failed attempt: another one, or the condition under which the event ends."""
    if result is Result.REJECTED:
        return Condition.RETRIES_EXHAUSTED
    if result is Result.FUNCTION_ERROR:
        if retries >= config.maximum_retries:
            return Condition.RETRIES_EXHAUSTED
        delay = 60.0 * (retries + 1)
    else:
        delay = backoff(backoffs)
    return Condition.EVENT_AGE_EXCEEDED if age + delay > config.maximum_age else Retry(delay)
