"""The documents that Lambda sends on: the invocation record for a destination, and the dead letter's attributes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from local.event import Attempt, Event
from local.schedule import Condition

ERROR_MESSAGE_LIMIT = 1024
"""Bytes of a dead letter's ErrorMessage."""


def invocation_record(event: Event, condition: Condition) -> bytes:
    """Compose the invocation record; the payloads go in as the bytes that they came as."""
    parts = {
        "version": b'"1.0"',
        "timestamp": _json(_now()),
        "requestContext": _json(
            {
                "requestId": event.request_id,
                "functionArn": event.target.arn,
                "condition": condition.value,
                "approximateInvokeCount": event.attempts,
            }
        ),
        "requestPayload": event.payload,
    }
    if (attempt := event.last) is not None and attempt.ran:
        parts["responseContext"] = _json(_response_context(attempt))
        parts["responsePayload"] = attempt.payload or b"null"
    return b"{" + b",".join(b'"%s":%s' % (key.encode(), value) for key, value in parts.items()) + b"}"


def dead_letter_attributes(event: Event) -> dict[str, tuple[str, str]]:
    """Return the dead letter's attributes: name to type and value."""
    attempt = event.last
    status = attempt.status if attempt else 200
    reason = attempt.reason if attempt else "The event's age exceeded the maximum before an attempt."
    message = reason.encode("utf-8", "replace")[:ERROR_MESSAGE_LIMIT].decode("utf-8", "ignore")
    return {
        "RequestID": ("String", event.request_id),
        "ErrorCode": ("Number", str(status)),
        # An attribute's value can't be empty: SQS would refuse the letter.
        "ErrorMessage": ("String", message or "Unknown error"),
    }


def _response_context(attempt: Attempt) -> dict[str, object]:
    context: dict[str, object] = {"statusCode": attempt.status, "executedVersion": attempt.version or "$LATEST"}
    return context | ({"functionError": attempt.function_error} if attempt.function_error else {})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
