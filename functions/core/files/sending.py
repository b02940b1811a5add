"""Send the lines of a file to the validator, as batches of records, at a rate that the table takes."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from record import MAX_DEPTH, Record, parse

from ..aws import MINUTE
from ..batch import MAX_RECORDS
from ..dead_letters import client as queue
from ..json_faults import nested_too_deep
from ..numbers import exact_float, exact_int
from .lines import Line
from .uploaded import client

# Bytes of the last stage's event. Up to 256 KB it is one request: https://aws.amazon.com/lambda/pricing/
BATCH = 240 * 1024
COPIES, ADDED = 3, 160  # how often that event holds a record, and the bytes that the stages add to one
ASKED = 10  # seconds after which a reader asks again how many there are; a new one waits so long for the others to know

_OPENING = re.compile(r"\s*\{\s*")


class Sender:
    """Gives records to the validator, in batches."""

    def __init__(self) -> None:
        """Send at the pace that the settings allow all readers together."""
        self.sent = 0
        self._pace = float(os.environ["RECORDS_A_SECOND"])
        self._share = 0.0
        self._batch: list[bytes] = []
        self._size = 0
        self._next_at = self._ask_at = time.monotonic()

    def add(self, content: bytes) -> None:
        """Send a record with the next batch."""
        size = COPIES * len(content) + ADDED
        if self._batch and (self._size + size > BATCH or len(self._batch) == MAX_RECORDS):
            self.flush()
        self._batch.append(content)
        self._size += size

    def flush(self) -> None:
        """Send the batch when the pace allows it. A record counts once for each KB that the table writes."""
        if not self._batch:
            return
        self._ask()
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        invoke(b"[" + b",".join(self._batch) + b"]")
        writes = sum(1 + (len(content) + 100) // 1024 for content in self._batch)
        self._next_at = max(self._next_at, time.monotonic() - 1) + writes / (self._pace * self._share)
        self.sent += len(self._batch)
        self._batch, self._size = [], 0

    def _ask(self) -> None:
        """Share the pace with the other readers, which are known by their messages in flight.

        A reader that comes to others waits until each of them has asked again, so that all together keep the pace.
        """
        if time.monotonic() < self._ask_at:
            return
        share = 1 / min(max(1, readers()), int(os.environ["READERS"]))
        if share < 1 and not self._share:
            time.sleep(shortened(ASKED))
        self._share = share
        self._ask_at = time.monotonic() + shortened(ASKED)


def record_of(line: Line, timestamp_of: Callable[[int], int]) -> tuple[bytes, Record]:
    """Return what is sent for a line (the line as it is, with a timestamp) and its record.

    Raises:
        ValueError: it is no record.
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
        return line.content, parse(document)
    timestamp = timestamp_of(line.number)
    rest = _OPENING.sub("", text, count=1)
    return f'{{"timestamp": {timestamp}, {rest}'.encode(), parse({**document, "timestamp": timestamp})


def _refuse(name: str) -> None:
    raise ValueError(f"it is not JSON (JSON has no {name})")


def invoke(payload: bytes) -> None:
    """Give an event to the validator's queue."""
    answer = functions().invoke(FunctionName=os.environ["ENTRY_FUNCTION_ARN"], InvocationType="Event", Payload=payload)
    answer["Payload"].read()  # empty; before that the connection is not used again


def send_message(message: dict[str, Any], delay: int) -> None:
    """Put a message into the queue of files, where it is seen after a delay in seconds."""
    body = json.dumps(message)
    queue().call("SendMessage", {"QueueUrl": _url(), "MessageBody": body, "DelaySeconds": delay})


def hide_message(receipt: str, seconds: int) -> None:
    """Let a message of the queue of files be seen again after so many seconds."""
    request = {"QueueUrl": _url(), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
    queue().call("ChangeMessageVisibility", request)


def readers() -> int:
    """Return how many messages of the queue of files are being worked on, about."""
    name = "ApproximateNumberOfMessagesNotVisible"
    answer = queue().call("GetQueueAttributes", {"QueueUrl": _url(), "AttributeNames": [name]})
    return int(answer["Attributes"][name])


def minutes(count: float) -> float:
    """Return the seconds of so many minutes, which a test or an embedded AWS may make shorter."""
    return count * MINUTE


def shortened(seconds: float) -> float:
    """Return a pause in seconds, scaled as `minutes` does, and at least one."""
    return max(1.0, minutes(seconds / 60))


@cache
def functions() -> Any:
    """Return the client of Lambda, which is made once."""
    return client("lambda")


def _url() -> str:
    return os.environ["FILES_QUEUE_URL"]
