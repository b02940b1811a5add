"""The lines of a file of records, each a JSON document, and what is sent for one.

There is one rule of what can be sent: `prepare`. Whoever sends or judges lines applies it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple

from pipeline.records.json_values import MOST_DEPTH, is_too_deep, parse
from pipeline.records.timestamps import lacks_timestamp, stamped

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST = 1_048_576 - 1_200
"""Bytes of a line: an event has 1 MiB at most, and so has its dead letter, with the attributes that Lambda adds."""
MOST_RECORDS = 1000  # records in an event


class Line(NamedTuple):
    """A line of the input that is not blank."""

    number: int  # counted from 1
    content: bytes  # without the line's end; empty if the line is too long to be held
    end: int  # bytes of the input up to the line's end

    @property
    def digest(self) -> str:
        """A short digest of the content, by which a line that was edited is noticed."""
        return hashlib.sha256(self.content).hexdigest()[:16]


class Prepared(NamedTuple):
    """What is sent for a line."""

    content: bytes
    document: Any

    @property
    def is_batch(self) -> bool:
        """Whether the line is an event of several records by itself."""
        return isinstance(self.document, list)

    @property
    def records(self) -> list[Any]:
        """The records; an empty batch, which the pipeline refuses, counts as one."""
        return self.document if self.is_batch and self.document else [self.document]


class LineNumbers:
    """A set of numbers of lines, a bit each."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._bits = bytearray()
        for number in numbers:
            self.add(number)

    def add(self, number: int) -> None:
        """Take a number in."""
        if number // 8 >= len(self._bits):
            self._bits.extend(bytes(number // 8 + 1 - len(self._bits)))
        self._bits[number // 8] |= 1 << number % 8

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int) or number // 8 >= len(self._bits):
            return False
        return bool(self._bits[number // 8] >> number % 8 & 1)

    def __len__(self) -> int:
        return sum(byte.bit_count() for byte in self._bits)


class InvalidLineError(ValueError):
    """A line can't be sent; the message says why."""


def read_lines(stream: IO[bytes], *, too_long: Callable[[bytes], object] = bytes) -> Iterator[Line]:
    """Yield the lines of a stream without the blank ones, and never hold more than one.

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


def prepare(line: Line, *, started: int | None = None) -> Prepared:
    """Return what is sent for a line; InvalidLineError if the pipeline can't take it as it is written.

    If it is known when the submission started, in ms since the epoch, a record without a timestamp gets that time plus
    a millisecond for each line before it: the same however often the line is sent, and never the same for two lines.
    None leaves the record to the validator, which stamps it each time anew.
    """
    content, document = line.content, _document(line)
    if started is not None and lacks_timestamp(document):
        timestamp = started + line.number - 1
        content, document = stamped(content.decode(), timestamp).encode(), {"timestamp": timestamp, **document}
    if len(content) > MOST:
        raise InvalidLineError(_TOO_LONG)
    if isinstance(document, list) and len(document) > MOST_RECORDS:
        raise InvalidLineError(f"it holds {len(document)} records, and an event has at most {MOST_RECORDS}: {SPLIT}")
    return Prepared(content, document)


_TOO_LONG = f"it has more than {MOST} bytes, and its dead letter would not fit into the queue"
SPLIT = "write each record on a line of its own, such as by jq -c '.[]'"


def _document(line: Line) -> Any:
    if not 0 < len(line.content) <= MOST:
        raise InvalidLineError(_TOO_LONG)
    try:
        text = line.content.decode()
        document = parse(text)
    except json.JSONDecodeError as error:
        raise InvalidLineError(f"it is not JSON ({error.msg} at column {error.colno})") from error
    except UnicodeDecodeError as error:
        raise InvalidLineError("it is not JSON (bytes that are not UTF-8)") from error
    except RecursionError as error:
        raise InvalidLineError(_TOO_DEEP) from error
    except ValueError as error:
        raise InvalidLineError(str(error)) from error
    most = MOST_DEPTH + isinstance(document, list)
    if text.count("[") + text.count("{") > most and is_too_deep(document, most):
        raise InvalidLineError(_TOO_DEEP)
    return document


_TOO_DEEP = f"it is nested more than {MOST_DEPTH} levels deep"
