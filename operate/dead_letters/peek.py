"""Looking into the dead-letter queue without consuming it: SQS can't, so letters are received and then given back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from deployed import DeadLetter
from operate.dead_letters.in_flight import InFlight
from operate.dead_letters.queue import BATCH, DeadLetterQueue, Depth

READERS = 4
FRUITLESS = 3
"""Rounds without a letter that was not seen before, after which SQS is believed to have no more."""


@contextmanager
def peek(queue: DeadLetterQueue, depth: Depth) -> Iterator[Iterator[DeadLetter]]:
    """Let the letters be read, each once, in no order; they are given back at the end, however it comes.

    Where that fails, or the process is killed, they come back by themselves: after the time that it takes to see all
    letters, should it be slow.
    """
    visibility = min(60 + depth.visible // 20, 900)
    in_flight = InFlight(queue, visibility=visibility)
    pool = ThreadPoolExecutor(depth.readers(READERS))
    try:
        yield _letters(queue, in_flight, pool, depth.readers(READERS), visibility)
    finally:
        pool.shutdown(cancel_futures=True)
        in_flight.give_back()


def _letters(
    queue: DeadLetterQueue, in_flight: InFlight, pool: ThreadPoolExecutor, readers: int, visibility: int
) -> Iterator[DeadLetter]:
    fruitless = 0

    def receive(_: int) -> list[DeadLetter]:
        return in_flight.add(queue.receive(BATCH, visibility=visibility))

    while fruitless < FRUITLESS:
        found = False
        for letters in pool.map(receive, range(readers)):
            found = found or bool(letters)
            yield from letters
        fruitless = 0 if found else fruitless + 1
        if not found and not queue.depth().visible:
            return
