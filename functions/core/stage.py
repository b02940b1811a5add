"""A stage is a function of one record; this module does what every stage has to do around it.

An event holds one record, or a batch: many in an array. What only a batch needs is in `batch.py`, which single events
never load.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from functools import wraps

from record import InvalidRecord, Record, known_id, parse, unwrap

from .delivery import check_deliverable

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Fields = dict[str, object]
    Handler = Callable[[Any, Any], Any]

_LOG = logging.getLogger("stage")
_LOGS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"  # as the function's LoggingConfig says


def stage(outcome: str, *, first: bool = False) -> Callable[..., Handler]:
    """Make a handler of a function that takes a record and returns the fields that the stage adds or changes.

    The record is handed on with them, unless the function raises `InvalidRecord`.

    Args:
        outcome: what became of a record then, for the log: "enriched".
        first: take bare records only, and nothing that a stage would add.
    """

    def decorate(function: Callable[[Record], Fields | None]) -> Handler:
        def work(body: object) -> tuple[Record, Fields]:
            record = parse(body, added=not first)
            return record, {**record.fields, **(function(record) or {})}

        def handle(event: object, body: object, context: object) -> object:
            if isinstance(body, list):
                from .batch import hand_on  # noqa: PLC0415 - single events pay nothing for it

                return hand_on(event, body, context, work=work, outcome=outcome)
            record, result = work(body)
            check_deliverable(event, result)
            log(f"record {outcome}", record, context)
            return result

        return wraps(function)(logged(handle, first=first))

    return decorate


def logged(handle: Callable[[Any, Any, Any], Any], *, first: bool = False) -> Handler:
    """Make a handler of a function of the event, its body and the context.

    Each refusal and each failure leaves a log line with the record's id; the runtime logs the error.
    """

    def handler(event: object, context: object) -> object:
        body = event  # also of an envelope that is none
        try:
            body = event if first else unwrap(event)
            return handle(event, body, context)
        except InvalidRecord as refusal:
            _LOG.warning("record refused", extra={"recordId": known_id(body), "reason": str(refusal)})
            raise
        except Exception as failure:
            _LOG.error(what_failed(failure), extra={"recordId": known_id(body), "reason": type(failure).__name__})
            raise

    return handler


def what_failed(failure: Exception) -> str:
    """Tell the log whether a stage failed, or a service that throttled it or did not answer: no version is at fault."""
    return "stage failed" if getattr(failure, "backoff", None) is None else "dependency failed"


def log(outcome: str, record: Record, context: object) -> None:
    """Log what became of a record, with its id and timestamp.

    If the function logs JSON, the line is written as JSON directly, byte for byte what the runtime would write. Making
    and formatting a LogRecord takes three times as long. Lambda reads the level and the time from it:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    fields = {"recordId": record.id, "recordTimestamp": record.timestamp}
    if not _LOGS_JSON:
        _LOG.info(outcome, extra=fields)
    elif _LOG.isEnabledFor(logging.INFO):
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "level": "INFO",
            "message": outcome,
            "logger": _LOG.name,
            "requestId": getattr(context, "aws_request_id", ""),
            **fields,
        }
        sys.stdout.write(json.dumps(line) + "\n")
