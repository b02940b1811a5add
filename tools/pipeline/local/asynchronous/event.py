"""The event in the queue: what was sent to which function, its settings, and what became of its attempts."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from .targets import Target


class Result(Enum):
    """How an attempt ended, in the kinds that Lambda's queue tells apart."""

    SUCCESS = "success"
    FUNCTION_ERROR = "function error"
    THROTTLED = "throttling"
    SYSTEM_ERROR = "system error"
    REJECTED = "rejected"  # Lambda refuses it for good: the function is gone, or is caught in a loop


class Attempt(NamedTuple):
    """One invocation's answer."""

    result: Result
    status: int
    payload: bytes = b""
    version: str | None = None
    function_error: str | None = None
    reason: str = ""  # the error's sentence, where there is one

    @property
    def ran(self) -> bool:
        """Whether the function's code was reached."""
        return self.result in (Result.SUCCESS, Result.FUNCTION_ERROR)


class EventInvokeConfig(NamedTuple):
    """A qualifier's settings for asynchronous invocation; Lambda's defaults where there are none."""

    maximum_retries: int = 2
    maximum_age: float = 21600  # Lambda seconds
    on_success: str | None = None
    on_failure: str | None = None  # the ARNs of the destinations


class VersionConfig(NamedTuple):
    """The settings of the version that ran, as far as a delivery needs them."""

    version: str
    role: str
    dead_letter_target: str | None


class Known(NamedTuple):
    """The settings when the event was accepted. They are used if the function was deleted since."""

    config: EventInvokeConfig = EventInvokeConfig()
    version: VersionConfig | None = None


@dataclass
class Event:
    """One accepted event."""

    target: Target
    payload: bytes
    request_id: str
    accepted: float  # monotonic time in seconds, as if each wait had lasted as long as Lambda's
    lineage: str
    """Where the event comes from: the same in every run with the same input, so that a seed repeats its faults."""
    depth: int = 0  # how many functions the chain of events has passed through; loops end by it
    trace: str = ""  # the trace header of the request that it came by
    known: Known = field(default_factory=Known)
    attempts: int = 0
    runs: int = 0  # attempts that reached the function, or didn't find it
    retries: int = 0  # retries of function errors: only these count against MaximumRetryAttempts
    backoffs: int = 0
    last: Attempt | None = None  # the latest attempt's answer

    def age(self, now: float) -> float:
        """Return the event's age at a monotonic time: waits in Lambda's seconds, the rest in real ones."""
        return now - self.accepted

    def note(self, attempt: Attempt) -> None:
        """Note how an attempt ended."""
        self.last = attempt
        self.runs += attempt.ran or attempt.status == 404

    def note_wait(self, seconds: float, real: float) -> None:
        """Note a wait before the next attempt, in Lambda's seconds and in real ones, by the failure that it follows."""
        if self.last is not None and self.last.result is Result.FUNCTION_ERROR:
            self.retries += 1
        else:
            self.backoffs += 1
        self.accepted -= seconds - real
