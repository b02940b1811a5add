"""Looking into the dead-letter queue without consuming it: SQS can't, so letters are received and then given back."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

from pipeline.letters.in_flight import InFlight
from pipeline.letters.queue import BATCH, DeadLetterQueue, Depth
from pipeline.stack import DeadLetter

READERS = 4
FRUITLESS = 3  # rounds without a letter that was not seen before, after which SQS is believed to have no more


class Peek(AbstractContextManager["Peek"]):
    """The letters that are there, each once, in no order; they are given back at the end, however it comes.

    Where that fails, or the process is killed, they come back by themselves: after the time that it takes to see all
    letters, should it be slow.
    """

    def __init__(self, queue: DeadLetterQueue, depth: Depth) -> None:
        self.depth = depth
        self._in_flight = InFlight(queue, visibility=min(60 + depth.visible // 20, 900))
        self._readers = depth.readers(READERS)
        self._pool = ThreadPoolExecutor(self._readers)

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._in_flight.give_back()

    def __iter__(self) -> Iterator[DeadLetter]:
        fruitless, receive = 0, partial(self._in_flight.receive, only_new=True)
        while fruitless < FRUITLESS:
            found = False
            for letters in self._pool.map(receive, [BATCH] * self._readers):
                found = found or bool(letters)
                yield from letters
            fruitless = 0 if found else fruitless + 1
            if not found and not self._in_flight.queue.depth().visible:
                return

    def delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Delete up to ten of the letters; return those that are still there."""
        return self._in_flight.delete(letters)
