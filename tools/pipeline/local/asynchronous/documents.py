"""The documents that Lambda sends on: the invocation record for a destination, and the dead letter."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from .event import Attempt, Event
from .retries import Condition
from .targets import UNQUALIFIED

REQUEST_ID, ERROR_CODE, ERROR_MESSAGE = "RequestID", "ErrorCode", "ErrorMessage"  # the attributes of a dead letter
EVENT, RESULT, CONTEXT = "requestPayload", "responsePayload", "requestContext"  # fields of the invocation record
ERROR_MESSAGE_LIMIT = 1024  # bytes of a dead letter's ErrorMessage
NO_CONCURRENCY = "Function not invoked. Function isconfigured with zero reserved concurrent executions"
"""Lambda's own words, with its missing space."""


class Document(NamedTuple):
    """What is sent, with the attributes that it has as a message of SQS: name to type and value."""

    body: bytes
    attributes: Mapping[str, tuple[str, str]] = MappingProxyType({})

    @property
    def size(self) -> int:
        """Bytes, as SQS counts them."""
        attributes = (name + kind + value for name, (kind, value) in self.attributes.items())
        return len(self.body) + sum(len(text.encode()) for text in attributes)


def invocation_record(event: Event, condition: Condition) -> Document:
    """Compose the invocation record; the payloads go in as the bytes that they came as."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    runs = 1 if condition is Condition.SUCCESS else event.runs
    about = {"requestId": event.request_id, "functionArn": event.target.arn, "condition": condition.value}
    parts = {
        "version": b'"1.0"',
        "timestamp": _json(now.replace("+00:00", "Z")),
        CONTEXT: _json(about | {"approximateInvokeCount": runs}),
        EVENT: event.payload,
    }
    if (attempt := event.last) is not None and condition is not Condition.ZERO_RESERVED_CONCURRENCY:
        parts["responseContext"] = _json(_response_context(attempt))
        if attempt.ran:
            parts[RESULT] = attempt.payload or b"null"
    return Document(b"{" + b",".join(b'"%s":%s' % (key.encode(), value) for key, value in parts.items()) + b"}")


def dead_letter(event: Event, condition: Condition) -> Document:
    """Compose the dead letter: the event itself, and why it failed as attributes."""
    attempt = event.last
    reason = attempt.reason if attempt else "The event's age exceeded the maximum before an attempt."
    if condition is Condition.ZERO_RESERVED_CONCURRENCY:
        reason = NO_CONCURRENCY
    message = reason.encode("utf-8", "replace")[:ERROR_MESSAGE_LIMIT].decode("utf-8", "ignore")
    attributes = {
        REQUEST_ID: ("String", event.request_id),
        # An attribute's value can't be empty: SQS would refuse the letter.
        ERROR_MESSAGE: ("String", message or "Unknown error"),
    }
    if condition is not Condition.ZERO_RESERVED_CONCURRENCY:
        attributes[ERROR_CODE] = ("Number", str(attempt.status if attempt else 200))
    return Document(event.payload, attributes)


def _response_context(attempt: Attempt) -> dict[str, object]:
    if not attempt.ran:
        return {"statusCode": attempt.status}
    context: dict[str, object] = {"statusCode": attempt.status, "executedVersion": attempt.version or UNQUALIFIED}
    return context | ({"functionError": attempt.function_error} if attempt.function_error else {})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
