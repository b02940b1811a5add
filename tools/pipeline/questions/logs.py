"""The functions' logs: the lines that a JSON pattern finds, and the failures among them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

MOST = 10_000  # lines in one answer
PAGES = 10  # pages in which failures are looked for; many may be empty, since CloudWatch ends one after some MB
FAILURES = (
    '($.message = "stage failed")',
    '($.message = "dependency failed")',
    '($.errorType = "Runtime.*")',
    '($.record.status = "timeout")',
    '($.record.errorType = "Runtime.OutOfMemory")',
    '($.record.errorType = "Runtime.ExitError")',
    '(($.type = "platform.initReport") && ($.record.status != "success"))',
)
"""The lines that tell of failures, and not of refused records, as the alarms have them:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""
FAILED = ("stage failed", "dependency failed")
ENDED = {"Runtime.OutOfMemory": "out of memory", "Runtime.ExitError": "ended itself"}
REFUSED_INPUT = "Runtime.UnmarshalError"  # of an event that is no JSON: its producer's fault


class LogLine(NamedTuple):
    """A line that is a JSON object."""

    time: int  # in ms since the epoch
    fields: Mapping[str, Any]


class Failures(NamedTuple):
    """How often each failure happened since a time, in ms since the epoch, and when the last one did."""

    since: int
    counts: Mapping[str, int] = {}
    last: int = 0


def group_name(function: str) -> str:
    """Return the log group of a function by its name."""
    return f"/aws/lambda/{function}"


def group_of(alias: str) -> str:
    """Return the log group of an alias' function."""
    return group_name(alias.split(":")[6])


def lines(client: Any, group: str, pattern: str, *, since: int = 0, pages: int | None = None) -> Iterator[LogLine]:
    """Yield the lines of a log group that are JSON objects, oldest first.

    MiniStack gives lines beside the pattern, too, and has no further pages: after a full answer the lines from
    its last one on are asked for again.
    """
    paginator = client.get_paginator("filter_log_events")
    asked = {"logGroupName": group, "filterPattern": f"{{ {pattern} }}"}
    seen: set[str] = set()
    while True:
        count = last = 0
        for page in islice(paginator.paginate(**asked, startTime=since), pages):
            for event in page["events"]:
                count, last = count + 1, event["timestamp"]
                if event.get("eventId", "") not in seen:
                    yield from _read(event)
            seen = {event.get("eventId", "") for event in page["events"]} - {""}
        if count != MOST or last <= since:
            return
        since = last


def failures(client: Any, group: str, *, since: int) -> Failures:
    """Count the failures in a function's log, as far as some pages go."""
    found = lines(client, group, " || ".join(FAILURES), since=since, pages=PAGES)
    told = [(line.time, failure) for line in found if (failure := _failure(line.fields))]
    return Failures(since, Counter(failure for _, failure in told), max((time for time, _ in told), default=0))


def _read(event: Mapping[str, Any]) -> Iterator[LogLine]:
    try:
        fields = json.loads(event["message"])
    except ValueError:
        return
    if isinstance(fields, dict):
        yield LogLine(event["timestamp"], fields)


def _failure(fields: Mapping[str, Any]) -> str | None:
    """Return which failure a line tells of."""
    if (message := fields.get("message")) in FAILED:
        return str(fields.get("reason", message))
    error = fields.get("errorType")
    if isinstance(error, str) and error.startswith("Runtime.") and error != REFUSED_INPUT:
        return ENDED.get(error, error)
    record = fields.get("record")
    if not isinstance(record, dict):
        return None
    status = record.get("status")
    if fields.get("type") == "platform.initReport":
        return "failed start" if status != "success" else None
    if fields.get("type") != "platform.report":  # a line about the same run
        return None
    return "timeout" if status == "timeout" else ENDED.get(str(record.get("errorType")))
