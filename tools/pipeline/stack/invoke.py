"""Asynchronous invocation that loses nothing: it waits while AWS throttles or fails, and names what is refused."""

import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from threading import Event
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import AwsError
from pipeline.stack.aws import EXPIRED, UNKNOWN_CREDENTIALS, UNREACHABLE, code_of, explain, sentence, status_of
from pipeline.stack.rate_limit import RateLimiter

ACCEPTED = 202
ATTEMPTS = 10
FIRST_DELAY = 0.1  # seconds; doubled from attempt to attempt
LONGEST_DELAY = 5.0  # seconds
NOT_THE_EVENTS_FAULT = (*EXPIRED, *UNKNOWN_CREDENTIALS)
"""Refusals that every other event would get too, beside those of the statuses 401, 403 and 404."""


class Reply(Enum):
    """How Lambda answered to an event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # Lambda does not take this event, now or later
    FAILED = "failed"
    """Lambda was too busy or out of order, or the time was up; whether it has the event is not known for sure."""


class Answer(NamedTuple):
    """Lambda's reply to an event, with the request id, or the reason why there is none."""

    reply: Reply
    request_id: str = ""
    reason: str = ""


class _BusyError(Exception):
    """An attempt that another one may follow."""


@dataclass
class Invoker:
    """Sends events to functions; for any number of threads."""

    client: Any  # of Lambda, without retries of its own
    rate: RateLimiter
    stop: Event  # set when the command is to end: no attempt begins then
    patience: float = 60.0  # seconds without a single acceptance after which Lambda counts as out of order
    _busy_since: float | None = field(default=None, init=False)

    def send(self, function: str, payload: bytes, *, permits: int = 1, until: float = float("inf")) -> Answer:
        """Send an event, which has its permits, as often as it takes until a monotonic time; or run out of patience."""
        reason = "its time was up before it could be sent"
        for attempt in range(ATTEMPTS):
            if self.stop.is_set() or time.monotonic() > until:
                break
            try:
                return self._attempt(function, payload, permits)
            except _BusyError as busy:
                reason = str(busy)
            self._keep_patience(reason)
            self.rate.throttled()
            if not self._pause(attempt, until):
                break
            self.rate.take_all(permits)
        return Answer(Reply.FAILED, reason=reason)

    def _attempt(self, function: str, payload: bytes, permits: int) -> Answer:
        try:
            answer = self.client.invoke(FunctionName=function, InvocationType="Event", Payload=payload)
        except ClientError as error:
            return self._judge(error)
        except UNREACHABLE as error:
            raise _BusyError(sentence(error)) from error
        except BotoCoreError as error:
            raise explain(error) from error
        if answer["StatusCode"] != ACCEPTED:
            raise _BusyError(f"Lambda answered {answer['StatusCode']} instead of {ACCEPTED}")
        with suppress(BotoCoreError):  # it is accepted, whatever becomes of the connection
            answer["Payload"].read()  # it is empty; the connection is used again only after it was read
        self._busy_since = None
        self.rate.accepted(permits)
        return Answer(Reply.ACCEPTED, request_id=answer["ResponseMetadata"].get("RequestId", ""))

    def _judge(self, error: ClientError) -> Answer:
        code, status = code_of(error), status_of(error)
        reason = f"{code}: {sentence(error.response['Error'].get('Message'))}"
        if status in (401, 403, 404) or code in NOT_THE_EVENTS_FAULT:
            raise explain(error) from error
        if status == 429 or status >= 500:
            raise _BusyError(reason) from error
        return Answer(Reply.REFUSED, reason=reason)

    def _keep_patience(self, reason: str) -> None:
        since = self._busy_since = self._busy_since or time.monotonic()
        if time.monotonic() - since > self.patience:
            raise AwsError(f"Lambda has accepted nothing for {self.patience:.0f} s ({reason}): try again later.")

    def _pause(self, attempt: int, until: float) -> bool:
        """Wait, longer from attempt to attempt and never in step with the other threads; False if there is no time."""
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2**attempt)
        delay = random.uniform(longest / 2, longest)  # noqa: S311 - it keeps threads apart, no secrets
        return time.monotonic() + delay < until and not self.stop.wait(delay)
