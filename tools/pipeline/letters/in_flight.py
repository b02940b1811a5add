"""The letters that a command has received and not deleted: nobody else sees them until they are given back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from pipeline.errors import AwsError, QueueGoneError
from pipeline.letters.queue import DeadLetterQueue, batches
from pipeline.stack import DeadLetter

PARALLEL = 8


class InFlight:
    """Receipts of letters, the latest of each; for any number of threads."""

    def __init__(self, queue: DeadLetterQueue, *, visibility: int) -> None:
        """Keep letters of a queue that were received for `visibility` seconds."""
        self._queue, self._visibility = queue, visibility
        self._lock = Lock()
        self._receipts: dict[str, str] = {}

    def add(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Note letters that were received; return those that were not in flight before."""
        with self._lock:
            new = [letter for letter in letters if letter.message_id not in self._receipts]
            self._receipts.update((letter.message_id, letter.receipt) for letter in letters)
        return new

    def remove(self, letters: Iterable[DeadLetter]) -> None:
        """Forget letters that were deleted."""
        with self._lock:
            for letter in letters:
                self._receipts.pop(letter.message_id, None)

    def give_back(self) -> None:
        """Let everybody see the letters again at once, and not only when their time is up."""
        with self._lock:
            receipts = list(self._receipts.values())
            self._receipts.clear()
        try:
            with ThreadPoolExecutor(PARALLEL) as pool:
                deque(pool.map(self._queue.give_back, batches(receipts)), maxlen=0)
        except QueueGoneError:
            raise
        except AwsError as error:
            raise type(error)(
                f"{error} The letters that were received are seen again after {self._visibility} s."
            ) from error
