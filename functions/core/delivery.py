"""The limit of delivery: Lambda sends a stage's event and result to the next stage in one document of at most 1 MB."""

from __future__ import annotations

import json

from record import InvalidRecord

# Lambda's asynchronous events hold 1 MB. The envelope's own fields (request id, ARN, times) take well under 2 KB of it.
MAX_HANDED_ON_BYTES = 1_000_000 - 2_000


def check_deliverable(event: object, result: object) -> None:
    r"""Refuse a result that Lambda could not deliver to the next stage.

    Lambda drops a document that is too large, and only a metric tells. A record that is refused here becomes a dead
    letter instead. Sizes are in bytes of ASCII, characters as \uXXXX: no encoding of Lambda's is longer.
    """
    size = encoded_size([event, result]) - len("[, ]")
    if size > MAX_HANDED_ON_BYTES:
        raise InvalidRecord(
            f"an event and its result must be at most {MAX_HANDED_ON_BYTES} bytes together to reach the next stage"
            f" (got {size}), but the processor takes the record directly"
        )


def encoded_size(document: object) -> int:
    """Return the bytes of a document in ASCII-escaped JSON."""
    try:
        return len(json.dumps(document))
    except (TypeError, ValueError, RecursionError):
        raise InvalidRecord("the event must be a value that can be encoded as JSON") from None
