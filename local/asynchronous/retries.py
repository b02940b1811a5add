"""When Lambda tries an event again, and when it gives up: the timing of asynchronous invocation, without a clock."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from local.event import Result

MAXIMUM_BACKOFF = 300
"""Lambda seconds."""


class Condition(Enum):
    """How an event ended, as the invocation record's `condition` says it."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


class Settings(NamedTuple):
    """The part of an EventInvokeConfig that the schedule follows; Lambda's defaults where there is none."""

    maximum_retries: int = 2
    maximum_age: float = 21600
    """Lambda seconds."""


class Retry(NamedTuple):
    """Try the event again after `delay` Lambda seconds."""

    delay: float


def backoff(earlier: int) -> float:
    """Return the Lambda seconds to wait after throttling or a system error, `earlier` of which came before."""
    return float(min(2 ** min(earlier, 16), MAXIMUM_BACKOFF))


def after_failure(result: Result, *, retries: int, backoffs: int, age: float, settings: Settings) -> Retry | Condition:
    """Decide what follows a failed attempt: another one, or the condition under which the event ends."""
    if result is Result.REJECTED:
        return Condition.RETRIES_EXHAUSTED
    if result is Result.FUNCTION_ERROR:
        if retries >= settings.maximum_retries:
            return Condition.RETRIES_EXHAUSTED
        delay = 60.0 * (retries + 1)
    else:
        delay = backoff(backoffs)
    return Condition.EVENT_AGE_EXCEEDED if age + delay > settings.maximum_age else Retry(delay)
