"""What the stages share: one log line for each event, and results small enough to hand on."""

from __future__ import annotations

import json
import logging
from functools import wraps

from record import InvalidRecord, Record, known_id

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[object, object], dict[str, object]]

# Lambda's asynchronous events hold 1 MB. The envelope's own fields (request id, ARN, times) take well under 2 KB of it.
MAX_HANDED_ON_BYTES = 1_000_000 - 2_000

_LOG = logging.getLogger(__name__)


def stage(handler: Handler) -> Handler:
    """Let a handler's refusals and failures leave a log line with the record's id; the runtime logs the error."""

    @wraps(handler)
    def logged(event: object, context: object) -> dict[str, object]:
        try:
            return handler(event, context)
        except InvalidRecord as refusal:
            _LOG.warning("record refused", extra={"recordId": known_id(event), "reason": str(refusal)})
            raise
        except Exception as failure:
            _LOG.error("stage failed", extra={"recordId": known_id(event), "reason": type(failure).__name__})
            raise

    return logged


def log(outcome: str, record: Record) -> None:
    """Log what became of a record, by its id and timestamp: Lambda's own `timestamp` is the line's."""
    _LOG.info(outcome, extra={"recordId": record.id, "recordTimestamp": record.timestamp})


def check_deliverable(event: object, result: dict[str, object]) -> None:
    r"""Refuse a result that Lambda could not deliver to the next stage.

    Lambda sends the event and the result in one document. A document too large is lost with nothing but a metric to
    tell, so it is refused here, where it becomes a dead letter. Sizes are in bytes of ASCII, characters as \uXXXX: no
    encoding of Lambda's is longer.
    """
    try:
        size = len(json.dumps(event)) + len(json.dumps(result))
    except (TypeError, ValueError, RecursionError):
        raise InvalidRecord("the event must be a value that can be encoded as JSON") from None
    if size > MAX_HANDED_ON_BYTES:
        raise InvalidRecord(
            f"an event and its result must be at most {MAX_HANDED_ON_BYTES} bytes together to reach the next stage"
            f" (got {size}), but the processor takes the record directly"
        )
