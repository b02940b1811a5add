"""A dead letter: what Lambda wrote into the queue, which stage failed on it, and which record it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from operate.stack import ENTRY, Function, Stack


class Attribution(NamedTuple):
    """The stage that failed, or the reason why it is not known."""

    stage: str | None
    problem: str = ""


@dataclass(frozen=True)
class Letter:
    """A message of the dead-letter queue."""

    message_id: str
    receipt: str
    body: str
    sent: int
    """When it came into the queue, in ms since the epoch."""
    received: int
    """How often it was received, this time included."""
    request_id: str
    """Of the invocation that failed; empty where it is not Lambda who wrote the message."""
    error_code: str
    error: str

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> Letter:
        """Read a message as SQS returns it, with whatever attributes it has."""
        system = message.get("Attributes", {})
        written = {
            name: str(value.get("StringValue", "")) for name, value in message.get("MessageAttributes", {}).items()
        }
        return cls(
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            int(system.get("SentTimestamp", 0)),
            int(system.get("ApproximateReceiveCount", 0)),
            written.get("RequestID", ""),
            written.get("ErrorCode", ""),
            written.get("ErrorMessage", ""),
        )

    @property
    def time(self) -> str:
        """When it came into the queue, in UTC."""
        return datetime.fromtimestamp(self.sent / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @cached_property
    def _parsed(self) -> tuple[bool, Any]:
        try:
            return True, json.loads(self.body)
        except (ValueError, RecursionError):
            return False, None

    @property
    def is_json(self) -> bool:
        """Whether the body can be parsed."""
        return self._parsed[0]

    @property
    def event(self) -> Any:
        """The event, parsed; None where the body is no JSON."""
        return self._parsed[1]

    @property
    def record_id(self) -> str | None:
        """The id of the record that the failing stage was given, where it has one."""
        event = self.event
        for document in (_member(event, "responsePayload"), *reversed(list(chain(event)))):
            if isinstance(found := _member(document, "id"), str):
                return found
        return None

    @property
    def request_ids(self) -> Iterator[str]:
        """The ids of all the invocations that led to the letter, the last one first."""
        if self.request_id:
            yield self.request_id
        for document in chain(self.event):
            if isinstance(found := _member(_member(document, "requestContext"), "requestId"), str):
                yield found

    def attribute(self, stack: Stack) -> Attribution:
        """Tell which stage failed: an envelope names the stage before it, a bare record is the entry's."""
        if not self.is_json:
            return Attribution(None, "its body is not JSON")
        if not is_envelope(self.event):
            return self._attribute_bare()
        arn = _member(self.event["requestContext"], "functionArn")
        stage = stack.stage_of(Function.of_arn(arn))
        if stage is None:
            return Attribution(None, f"its envelope names {arn or 'no function'}, which is not of this stack")
        if stage not in stack.after:
            return Attribution(None, f"its envelope comes from the {stage}, whose result goes to no stage")
        return Attribution(stack.after[stage])

    def _attribute_bare(self) -> Attribution:
        """Whatever Lambda wrote here was the entry's event; what else there may be has to look like a record."""
        if self.request_id or (isinstance(self.event, dict) and {"id", "data"} <= self.event.keys()):
            return Attribution(ENTRY)
        return Attribution(None, "it is neither a record nor a message that Lambda wrote")


def is_envelope(event: Any) -> bool:
    """Return whether an event is Lambda's document for a destination."""
    return isinstance(event, dict) and isinstance(event.get("requestContext"), dict)


def chain(event: Any) -> Iterator[Any]:
    """Yield an event, the event that it came of, and so on to the one that was submitted."""
    yield event
    while is_envelope(event):
        event = event.get("requestPayload")
        yield event


def _member(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None
