"""The letters that a command has received and not deleted: nobody else sees them until they are given back."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from pipeline.errors import AwsError, QueueGoneError
from pipeline.letters.queue import DeadLetterQueue, batches
from pipeline.stack import DeadLetter

PARALLEL = 8


class InFlight:
    """Receipts of letters, the latest of each; for any number of threads."""

    def __init__(self, queue: DeadLetterQueue, *, visibility: int) -> None:
        self.queue, self._visibility = queue, visibility
        self._lock = Lock()
        self._receipts: dict[str, str] = {}
        self._working_on: set[str] = set()

    def receive(self, most: int, *, only_new: bool = False) -> list[DeadLetter]:
        """Receive some letters, perhaps without those that are in flight already."""
        letters = self.queue.receive(most, visibility=self._visibility)
        with self._lock:
            new = [letter for letter in letters if letter.message_id not in self._receipts]
            self._receipts.update((letter.message_id, letter.receipt) for letter in letters)
        return new if only_new else letters

    @contextmanager
    def working_on(self, letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
        """Yield those of the letters that no other thread is working on, and keep others from them meanwhile."""
        with self._lock:
            mine = [letter for letter in letters if letter.message_id not in self._working_on]
            self._working_on.update(letter.message_id for letter in mine)
        try:
            yield mine
        finally:
            with self._lock:
                self._working_on.difference_update(letter.message_id for letter in mine)

    def hide(self, letter: DeadLetter) -> None:
        """Keep a letter in flight for as long again from now."""
        self.queue.hide(letter, visibility=self._visibility)

    def delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Delete up to ten letters, and return those that are still there."""
        remaining = self.queue.delete(letters)
        with self._lock:
            for letter in letters:
                if letter not in remaining:
                    self._receipts.pop(letter.message_id, None)
        return remaining

    def give_back(self) -> None:
        """Let everybody see the letters again at once, and not only when their time is up."""
        with self._lock:
            receipts = list(self._receipts.values())
            self._receipts.clear()
        try:
            with ThreadPoolExecutor(PARALLEL) as pool:
                deque(pool.map(self.queue.give_back, batches(receipts)), maxlen=0)
        except QueueGoneError:
            raise
        except AwsError as error:
            when = f"The letters that were received are seen again after {self._visibility} s."
            raise type(error)(f"{error} {when}") from error
