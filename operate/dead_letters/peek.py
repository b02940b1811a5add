"""Looking at the dead-letter queue without consuming it: SQS can't, so each letter is received and then given back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from operate.dead_letters.in_flight import Held
from operate.dead_letters.letter import Letter
from operate.dead_letters.queue import BATCH, DeadLetterQueue, Depth

MOST_READERS = 4
FRUITLESS = 3
"""Rounds without a letter that was not seen before, after which SQS is believed to have no more."""


def visibility(depth: Depth) -> int:
    """Return the seconds for which a look hides letters at most: time enough to see all, should it be slow."""
    return min(60 + depth.visible // 20, 900)


def readers(depth: Depth, most: int) -> int:
    """Return how many threads a queue keeps busy; each that finds nothing waits for a whole poll."""
    return max(1, min(most, depth.visible // BATCH))


@contextmanager
def look(queue: DeadLetterQueue, depth: Depth) -> Iterator[Iterator[Letter]]:
    """Let the letters be read, each once, in no order; they are given back at the end, however it comes.

    Where that fails, or the process is killed, they come back by themselves after `visibility` seconds.
    """
    held = Held(queue, visibility=visibility(depth))
    pool = ThreadPoolExecutor(readers(depth, MOST_READERS))
    try:
        yield _letters(queue, held, pool, depth)
    finally:
        pool.shutdown(cancel_futures=True)
        held.give_back()


def _letters(queue: DeadLetterQueue, held: Held, pool: ThreadPoolExecutor, depth: Depth) -> Iterator[Letter]:
    count, seconds, fruitless = readers(depth, MOST_READERS), visibility(depth), 0

    def receive(_: int) -> list[Letter]:
        return held.keep(queue.receive(BATCH, visibility=seconds))

    while fruitless < FRUITLESS:
        found = False
        for letters in pool.map(receive, range(count)):
            found = found or bool(letters)
            yield from letters
        fruitless = 0 if found else fruitless + 1
        if not found and not queue.depth().visible:
            return
