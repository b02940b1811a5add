"""Packing lines into events: each event is a JSON array of records, or one line as it stands."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pipeline.records.lines import MOST_RECORDS, InvalidLineError, Line, Prepared

ONE_REQUEST = 70_000
"""Bytes of a batch. It is in the processor's envelope three times, and up to 256 KB an event is one request:
https://aws.amazon.com/lambda/pricing/"""
MOST = 300_000  # bytes of a batch whose number of records is chosen: three times as much is still an event
ADDED = 50  # bytes of what the stages add to a record, on average over the three
_NOT_ASCII = bytes(range(128, 256))

Prepare = Callable[[Line], Prepared]  # what returns what is sent for a line, or raises InvalidLineError


class Batch(NamedTuple):
    """Lines that are sent as one event, or a line that can't be sent."""

    lines: tuple[Line, ...]
    contents: tuple[bytes, ...]  # what is sent for each line
    records: int = 1
    bare: bool = False
    problem: str = ""  # why it can't be sent

    @property
    def payload(self) -> bytes:
        """The event."""
        return self.contents[0] if self.bare else b"[" + b",".join(self.contents) + b"]"

    @property
    def writes(self) -> int:
        """How many writes the records cost the table: one for each KB of an item, which has some bytes of its own."""
        return max(self.records, sum(1 + (len(content) + 100) // 1024 for content in self.contents))


class Packing:
    """Packs lines as they come, those of an event in order."""

    def __init__(self, prepare: Prepare, *, batch: int | None = None, rate: float | None = None) -> None:
        """Pack up to `batch` records, or a second of `rate`, into an event; None for as many as are one request."""
        self._prepare, self._bare = prepare, batch == 1
        self._bytes = ONE_REQUEST if batch is None else MOST
        self._most = min(batch or MOST_RECORDS, MOST_RECORDS, max(1, int(rate or MOST_RECORDS)))
        self._lines: list[Line] = []
        self._contents: list[bytes] = []
        self._size = 0

    def pack(self, lines: Iterable[Line]) -> Iterator[Batch]:
        """Yield the events for lines, and by themselves the lines that can't be sent and those that are batches.

        Whenever it yields, each line that was read was yielded, or is among the rest.
        """
        for line in lines:
            try:
                prepared = self._prepare(line)
            except InvalidLineError as error:
                yield Batch((line,), (line.content,), problem=str(error))
                continue
            if prepared.is_batch:
                yield Batch((line,), (prepared.content,), len(prepared.records), bare=True)
                continue
            size = _size(prepared.content)
            full = list(self.rest()) if self._size + size > self._bytes else []
            self._lines.append(line)
            self._contents.append(prepared.content)
            self._size += size
            yield from full
            if len(self._lines) == self._most:
                yield from self.rest()
        yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        """Yield the event for the lines that were read and are in none yet, if there are any."""
        lines, contents = tuple(self._lines), tuple(self._contents)
        self._lines, self._contents, self._size = [], [], 0
        if lines:
            yield Batch(lines, contents, len(lines), bare=self._bare)


def _size(content: bytes) -> int:
    r"""Return the bytes that a record takes in a batch; a byte beyond ASCII may be three, in \uXXXX."""
    beyond = 0 if content.isascii() else len(content) - len(content.translate(None, _NOT_ASCII))
    return len(content) + 2 * beyond + ADDED
