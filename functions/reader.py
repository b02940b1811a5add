"""The reader: it reads a file out of the bucket, and gives its lines to the validator as batches of records.

EventBridge starts it with S3's event about the file. Where Lambda's time ends it goes on in another invocation: the
same event, with what it takes to go on. Nothing else is kept, so that what is done twice is done in the same way: a
record without a timestamp gets one from the file's date and its line, and is stored once.

This is the one function that uses the runtime's SDK: it reads megabytes for each cold start, and S3's protocol is more
than a request that is signed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from core.batch import MAX_RECORDS
from core.json_faults import nested_too_deep
from core.lines import Line
from core.numbers import exact_float, exact_int
from core.uploaded import (
    REJECTED,
    REPORTS,
    File,
    Place,
    Rejected,
    UnreadableFile,
    client,
    find,
    first_date,
    lines_of,
    place_of,
    put,
    s3,
)
from record import MAX_DEPTH

SUFFIXES = (".jsonl", ".jsonl.gz")
BATCH = 240 * 1024
"""Bytes of the last stage's event, which holds each record three times. Up to 256 KB it is one request:
https://aws.amazon.com/lambda/pricing/"""
COPIES, ADDED = 3, 160
"""How often that event holds a record, and the bytes that the stages add to one."""
RESERVE = 60
"""Seconds of the invocation that are kept for what comes after the last batch."""
LOOK = 500
"""Lines after which the time is looked at, where no batch was sent."""

_LOG = logging.getLogger(__name__)
_OPENING = re.compile(r"\s*\{\s*")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Read a file, or go on with it, and return its report so far.

    Raises:
        UnreadableFile: it can't be read at all.
    """
    key = place_of(event).key
    if key.startswith((REPORTS, REJECTED)) or not key.endswith(SUFFIXES):
        _LOG.warning("file ignored", extra={"recordId": key, "reason": f"its name must end in {' or '.join(SUFFIXES)}"})
        return {"ignored": key}
    try:
        return _read(event, context)
    except Exception as failure:
        _LOG.error("stage failed", extra={"recordId": key, "reason": type(failure).__name__})
        raise


def _read(event: dict[str, Any], context: Any) -> dict[str, Any]:
    began = time.monotonic()
    file, before = find(event), event.get("continued", {})
    rejected = Rejected(s3(), Place(file.bucket, f"{REJECTED}{file.key}.jsonl"), before.get("rejects"))
    reading = Reading(file, before, rejected, context)
    ended = reading.run()
    rejects, report = rejected.close(), reading.report(time.monotonic() - began)
    _LOG.info("file read" if ended else "file goes on", extra={"recordId": file.key, **report})
    if ended:
        put(file.bucket, f"{REPORTS}{file.key}.json", report)
    else:
        going_on = {**reading.state(), "seconds": report["seconds"], "rejects": rejects}
        _invoke(context.invoked_function_arn, json.dumps({**event, "continued": going_on}).encode())
    return report


class Reading:
    """What one invocation reads of a file."""

    def __init__(self, file: File, before: dict[str, Any], rejected: Rejected, context: Any) -> None:
        """Begin where the invocation before stood, by what its `state` returned; at the beginning without."""
        self.file, self.rejected, self._context = file, rejected, context
        self.line, self.end = before.get("line", 0), before.get("end", 0)
        self.counts = {name: before.get(name, 0) for name in ("accepted", "rejected", "batches")}
        self._seconds = before.get("seconds", 0.0)
        self._date = before.get("date")
        self._pace = float(os.environ["RECORDS_A_SECOND"])
        self._batch: list[bytes] = []
        self._size = 0
        self._next_at = time.monotonic()

    def state(self) -> dict[str, Any]:
        """Return what it takes to go on."""
        return {"line": self.line, "end": self.end, "date": self._date, **self.counts}

    def report(self, seconds: float) -> dict[str, Any]:
        """Return what has become of the lines that are not blank."""
        lines = self.counts["accepted"] + self.counts["rejected"]
        return {"lines": lines, **self.counts, "seconds": round(self._seconds + seconds, 3)}

    def run(self) -> bool:
        """Send the lines; return whether those were all, or the time was up before."""
        seconds, start = self._remaining(), self.line
        for line in lines_of(self.file, number=self.line, end=self.end):
            if self.line == start and self._remaining() < seconds / 2:
                raise UnreadableFile(f"{self.file.key} takes too long to get to line {line.number}: split it")
            sent = self._take(line)
            if (sent or line.number % LOOK == 0) and self._remaining() < RESERVE:
                self._send()
                return False
        self._send()
        return True

    def _remaining(self) -> float:
        milliseconds: int = self._context.get_remaining_time_in_millis()
        return milliseconds / 1000

    def _take(self, line: Line) -> bool:
        """Add a line to the batch, or to the rejected ones; return whether a batch was sent for it."""
        sent = False
        try:
            content = record(line, self._timestamp)
        except ValueError as fault:
            self.rejected.add(line, str(fault))
            self.counts["rejected"] += 1
        else:
            size = COPIES * len(content) + ADDED
            if self._batch and (self._size + size > BATCH or len(self._batch) == MAX_RECORDS):
                self._send()
                sent = True
            self._batch.append(content)
            self._size += size
            self.counts["accepted"] += 1
        self.line, self.end = line.number, line.end
        return sent

    def _send(self) -> None:
        """Send the batch when the pace allows it, by which a record counts once for each KB that the table writes."""
        if not self._batch:
            return
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        _invoke(os.environ["ENTRY_FUNCTION_ARN"], b"[" + b",".join(self._batch) + b"]")
        writes = sum(1 + (len(content) + 100) // 1024 for content in self._batch)
        self._next_at = max(self._next_at, time.monotonic() - 1) + writes / self._pace
        self.counts["batches"] += 1
        self._batch, self._size = [], 0

    def _timestamp(self, line: int) -> int:
        if self._date is None:
            self._date = first_date(self.file)
        date: int = self._date
        return date + line


def record(line: Line, timestamp_of: Callable[[int], int]) -> bytes:
    """Return what is sent for a line: as it stands, but with a timestamp.

    Raises:
        ValueError: it is no record's JSON, or would spoil the batch that it is in.
    """
    if line.fault:
        raise ValueError(line.fault)
    try:
        text = line.content.decode()
        document = json.loads(text, parse_constant=_refuse, parse_float=exact_float, parse_int=exact_int)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg} at column {error.colno})") from None
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    # Lambda's runtime could not decode a batch that holds it.
    if text.count("[") + text.count("{") > MAX_DEPTH and nested_too_deep(document, MAX_DEPTH + 1):
        raise ValueError(f"it is nested more than {MAX_DEPTH + 1} levels deep")
    if "timestamp" in document:
        return line.content
    rest = _OPENING.sub("", text, count=1)
    comma = "" if rest.startswith("}") else ", "
    return f'{{"timestamp": {timestamp_of(line.number)}{comma}{rest}'.encode()


def _refuse(name: str) -> None:
    raise ValueError(f"it is not JSON (JSON has no {name})")


def _invoke(function: str, payload: bytes) -> None:
    functions().invoke(FunctionName=function, InvocationType="Event", Payload=payload)


@cache
def functions() -> Any:
    """Return the client of Lambda, which is made once."""
    return client("lambda")
