"""The event in the queue: what was sent to which function, and what became of its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

UNQUALIFIED = "$LATEST"


class Target(NamedTuple):
    """The function that an event is for, as its caller named it."""

    account: str
    region: str
    name: str
    qualifier: str | None = None

    @property
    def caller_arn(self) -> str:
        """The function's ARN, with a qualifier if the caller named one."""
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"
        return f"{arn}:{self.qualifier}" if self.qualifier else arn

    @property
    def arn(self) -> str:
        """The function's ARN, always with a qualifier, as an invocation record has it."""
        return self._replace(qualifier=self.qualifier or UNQUALIFIED).caller_arn


class Result(Enum):
    """How an attempt ended, in the kinds that Lambda's queue tells apart."""

    SUCCESS = "success"
    FUNCTION_ERROR = "function error"
    THROTTLED = "throttling"
    SYSTEM_ERROR = "system error"
    REJECTED = "rejected"
    """Neither the function's fault nor passing: the function is gone, or it is caught in a loop."""


class Attempt(NamedTuple):
    """One invocation's answer."""

    result: Result
    status: int
    payload: bytes = b""
    version: str | None = None
    function_error: str | None = None
    reason: str = ""
    """The error's sentence, where there is one."""

    @property
    def ran(self) -> bool:
        """Whether the function's code was reached."""
        return self.result in (Result.SUCCESS, Result.FUNCTION_ERROR)


@dataclass
class Event:
    """One accepted event; `age` counts its waits in Lambda's seconds and everything else in real ones."""

    target: Target
    payload: bytes
    request_id: str
    accepted: float
    """Monotonic real time in seconds."""
    lineage: str
    """Where the event comes from; the same in every run with the same input, so that faults can be repeated."""
    depth: int = 0
    """Lambda functions that the chain of events has passed through; loops end by it."""
    attempts: int = 0
    retries: int = 0
    """Retries of function errors: only these count against MaximumRetryAttempts."""
    backoffs: int = 0
    waited: float = 0.0
    """Lambda seconds spent between attempts."""
    waited_real: float = 0.0
    """Real seconds that those waits were to last."""
    last: Attempt | None = None
    """The latest attempt's answer."""

    def age(self, now: float) -> float:
        """Return the event's age in Lambda seconds at the monotonic time `now`."""
        return now - self.accepted - self.waited_real + self.waited

    def note_wait(self, seconds: float, real: float) -> None:
        """Note a wait before the next attempt, of so many Lambda seconds, and the kind of failure that it follows."""
        if self.last is not None and self.last.result is Result.FUNCTION_ERROR:
            self.retries += 1
        else:
            self.backoffs += 1
        self.waited += seconds
        self.waited_real += real
