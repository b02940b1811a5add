"""The input of `submit`: JSON documents, one a line, each sent as it stands but for the timestamp that it may get."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from pipeline.records.timestamps import lacks_timestamp, stamped

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST = 1_048_576 - 1_200
"""Bytes of a line: an event has 1 MiB at most, and so has its dead letter, with the attributes that Lambda adds."""


class Line(NamedTuple):
    """A line of the input that is not blank."""

    number: int
    """Counted from 1."""
    content: bytes
    """Without the line's end; empty where the line is too long to be held."""
    end: int
    """Bytes of the input up to the line's end."""

    @property
    def digest(self) -> str:
        """A short digest of the content, by which a line that was edited is noticed."""
        return hashlib.sha256(self.content).hexdigest()[:16]


class InvalidLineError(ValueError):
    """A line can't be sent; the message says why."""


def read_lines(stream: IO[bytes], *, too_long: Callable[[bytes], object] = bytes) -> Iterator[Line]:
    """Yield the lines of a stream, the blank ones left out, without ever holding more than one.

    The content of a line that is too long goes to `too_long`, part by part.
    """
    number = end = 0
    while raw := stream.readline(MOST + len(b"\r\n")):
        number, end = number + 1, end + len(raw)
        content = raw.removeprefix(BYTE_ORDER_MARK) if number == 1 else raw
        if len(raw) > MOST and not raw.endswith(b"\n"):
            too_long(content)
            while not content.endswith(b"\n") and (content := stream.readline(MOST)):
                too_long(content)
                end += len(content)
            yield Line(number, b"", end)
        elif content := content.strip():
            yield Line(number, content, end)


def event(line: Line, *, started: int | None) -> bytes:
    """Return what is sent for a line.

    Args:
        line: A line of the input.
        started: When the submission began, in ms since the epoch; a record without a timestamp then gets one. It is
            this time plus a millisecond for each line before it: the same however often the line is sent, and never
            the same for two lines. None leaves the record to the validator, which stamps it each time anew.

    Raises:
        InvalidLineError: The line is not JSON or too long, which Lambda would not take.
    """
    if not 0 < len(line.content) <= MOST:
        raise InvalidLineError(f"it has more than {MOST} bytes, and its dead letter would not fit into the queue")
    try:
        text = line.content.decode()
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidLineError(f"it is not JSON ({_reason(error)})") from error
    if started is None or not lacks_timestamp(document):
        return line.content
    return stamped(text, started + line.number - 1).encode()


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return "bytes that are not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
