"""A batch: an event that holds many records in an array, bare or in Lambda's destination envelope.

Each record is handled as if it had come alone. A refused record becomes a dead letter of its own, which is sent last.
Any other failure fails the whole event, and all of it may be repeated.
"""

from __future__ import annotations

import logging
import math
import time

from record import InvalidRecord, Record, known_id, parse

from .delivery import MAX_HANDED_ON_BYTES, encoded_size

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from record import Attribute

    Done = TypeVar("Done")

MAX_RECORDS = 1000  # a batch of more is refused as one event: each record that is refused becomes a message

_LOG = logging.getLogger("stage")  # which logs the same of single events


def hand_on(
    event: object,
    records: list[object],
    context: object,
    *,
    work: Callable[[object], tuple[Record, dict[str, object]]],
    outcome: str,
) -> list[dict[str, object]]:
    """Return what the next stage gets: the results in order, without the refused.

    Raises:
        InvalidRecord: the batch is empty, has too many records, or is too large to hand on.
        ServiceError: a dead letter could not be sent.
    """

    def sized(record: object) -> tuple[dict[str, object], int]:
        result = work(record)[1]
        return result, encoded_size(result) + len(", ")

    _check_count(event, records)
    outcomes = [_attempt(sized, record) for record in records]
    done = [outcome for outcome in outcomes if not isinstance(outcome, InvalidRecord)]
    _check_deliverable(event, sum(size for _, size in done))
    _refuse(event, records, outcomes, context)
    _log(f"batch {outcome}", outcomes, accepted=len(done))
    return [result for result, _ in done]


def store_all(
    event: object, records: list[object], context: object, *, item: Callable[[Record], dict[str, Attribute]]
) -> None:
    """Store the items of the records, each exactly once.

    Raises:
        InvalidRecord: the batch is empty, or has too many records.
        ServiceError: a record could not be stored, or a dead letter not be sent.
    """
    from .inserts import put_all  # noqa: PLC0415 - only the stage that stores has a table

    _check_count(event, records)
    items = [_attempt(lambda record: item(parse(record, added=True)), record) for record in records]
    written = iter(put_all([item for item in items if not isinstance(item, InvalidRecord)], _deadline(context)))
    outcomes = [item if isinstance(item, InvalidRecord) else next(written) for item in items]
    _refuse(event, records, outcomes, context)
    _log("batch stored", outcomes, stored=outcomes.count(True), alreadyStored=outcomes.count(False))


def _check_count(event: object, records: list[object]) -> None:
    """Refuse too many records, and an empty array from a producer; what a stage hands on is empty if it refused all."""
    if not records and event is records:
        raise InvalidRecord("a batch must not be empty")
    if len(records) > MAX_RECORDS:
        raise InvalidRecord(f"a batch must have at most {MAX_RECORDS} records (got {len(records)})")


def _check_deliverable(event: object, results_size: int) -> None:
    """Refuse a batch whose results Lambda could not deliver to the next stage, as `check_deliverable` does."""
    size = encoded_size(event) + results_size
    if size > MAX_HANDED_ON_BYTES:
        raise InvalidRecord(
            f"a batch and its results must be at most {MAX_HANDED_ON_BYTES} bytes together to reach the next stage"
            f" (got {size}): send fewer records at once"
        )


def _attempt(work: Callable[[object], Done], record: object) -> Done | InvalidRecord:
    try:
        return work(record)
    except InvalidRecord as refusal:
        return refusal


def _refuse(event: object, records: list[object], outcomes: Sequence[object], context: Any) -> None:
    """Log each refusal, and send its dead letter."""
    refused = [(r, outcome) for r, outcome in zip(records, outcomes, strict=True) if isinstance(outcome, InvalidRecord)]
    for record, refusal in refused:
        _LOG.warning("record refused", extra={"recordId": known_id(record), "reason": str(refusal)})
    if refused:
        from .dead_letters import send  # noqa: PLC0415 - most batches need none

        send(event, refused, request_id=context.aws_request_id, deadline=_deadline(context))


def _log(message: str, outcomes: Sequence[object], **counts: int) -> None:
    refused = sum(isinstance(outcome, InvalidRecord) for outcome in outcomes)
    _LOG.info(message, extra={"records": len(outcomes), "refused": refused, **counts})


def _deadline(context: Any) -> float:
    """Return when to stop repeating requests, by the monotonic clock. A quarter of the function's time is kept."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return time.monotonic() + remaining() / 1000 * 0.75 if remaining else math.inf
