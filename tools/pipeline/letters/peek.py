"""Looking into the dead-letter queue without consuming it: SQS can't, so letters are received and then given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from pipeline.letters.in_flight import InFlight
from pipeline.letters.queue import BATCH, DeadLetterQueue, Depth
from pipeline.stack import DeadLetter

READERS = 4
FRUITLESS = 3
"""Rounds without a letter that was not seen before, after which SQS is believed to have no more."""


class Peek:
    """The letters that are there, each once, in no order; they are given back at the end, however it comes.

    Where that fails, or the process is killed, they come back by themselves: after the time that it takes to see all
    letters, should it be slow.
    """

    def __init__(self, queue: DeadLetterQueue, depth: Depth) -> None:
        """Be ready to read a queue that has this depth."""
        self.depth = depth
        self._queue, self._visibility = queue, min(60 + depth.visible // 20, 900)
        self._in_flight = InFlight(queue, visibility=self._visibility)
        self._readers = depth.readers(READERS)
        self._pool = ThreadPoolExecutor(self._readers)

    def __enter__(self) -> Peek:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._in_flight.give_back()

    def __iter__(self) -> Iterator[DeadLetter]:
        fruitless = 0
        while fruitless < FRUITLESS:
            found = False
            for letters in self._pool.map(self._receive, range(self._readers)):
                found = found or bool(letters)
                yield from letters
            fruitless = 0 if found else fruitless + 1
            if not found and not self._queue.depth().visible:
                return

    def _receive(self, _: int) -> list[DeadLetter]:
        return self._in_flight.add(self._queue.receive(BATCH, visibility=self._visibility))

    def delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Delete up to ten of the letters; return those that are still there."""
        remaining = self._queue.delete(letters)
        self._in_flight.remove(letter for letter in letters if letter not in remaining)
        return remaining
