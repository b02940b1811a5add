"""Submits records as a file: dropped into the bucket, from where the deployed reader takes it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import LocalError
from .lines import Line
from .submit import Submission

DELIVERED = 10
"""Seconds within which the rule has started the reader."""
BY_FILE = "by file"
"""Stands for a request id: no line has one of its own."""


def drop(client: Any, bucket: str, path: Path) -> str:
    """Put a file into the bucket, by a client of S3, and return its key."""
    key = path.name if path.name.endswith((".jsonl", ".jsonl.gz")) else f"{path.name}.jsonl"
    try:
        client.upload_file(str(path), bucket, key)
    except OSError as error:
        raise LocalError(f"{path} can't be read: {error.strerror or error}") from error
    return key


def wait_until_read(queue_state: Any) -> None:
    """Wait until the queue has got the event of a file.

    Raises:
        LocalError: It never came.
    """
    deadline = time.monotonic() + DELIVERED
    while not (state := queue_state())["accepted"]:
        if state["errors"] or time.monotonic() > deadline:
            raise LocalError("; ".join(state["errors"]) or f"no rule started the reader within {DELIVERED} s")
        time.sleep(0.05)


def submissions(client: Any, bucket: str, key: str, lines: Iterable[Line]) -> Iterator[Submission]:
    """Yield what the reader made of each line: what it is as a record, or why it is none."""
    rejected = _documents(client, bucket, f"rejected/{key}.jsonl")
    date = _date(client, bucket, key)
    one = next(rejected, None)
    for line in lines:  # both are in the file's order
        while one and one["line"] < line.number:
            one = next(rejected, None)
        if one and one["line"] == line.number:
            yield Submission(line, None, one["reason"])
        else:
            yield Submission(line._replace(content=_stamped(line, date)), BY_FILE)


def _date(client: Any, bucket: str, key: str) -> int | None:
    """Return what the reader counts the timestamps from that it gives; None where it gave none."""
    listed = client.list_objects_v2(Bucket=bucket, Prefix=f"reports/{key}.").get("Contents", [])
    dates = [one["Key"] for one in listed if one["Key"].endswith(".date")]
    return int(next(_documents(client, bucket, dates[0]))["date"]) if dates else None


def report_of(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """Return the reader's report; None if there is none."""
    return next(_documents(client, bucket, f"reports/{key}.json"), None)


def _documents(client: Any, bucket: str, key: str) -> Iterator[dict[str, Any]]:
    try:
        body = client.get_object(Bucket=bucket, Key=key)["Body"]
    except client.exceptions.NoSuchKey:
        return
    yield from map(json.loads, body.iter_lines())


def _stamped(line: Line, date: int | None) -> bytes:
    """Return a record as the reader sent it, with the timestamp that it gave it."""
    document = json.loads(line.content)
    if "timestamp" not in document and date is not None:
        document["timestamp"] = date + line.number
    return json.dumps(document).encode()
