"""Receiving letters for a redrive: each is in one thread's hands, and is deleted or given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from pipeline.letters.in_flight import InFlight
from pipeline.letters.queue import DeadLetterQueue
from pipeline.stack import DeadLetter


class Receiver:
    """The letters that a redrive has received; for any number of threads."""

    def __init__(self, queue: DeadLetterQueue, *, visibility: int) -> None:
        """Receive letters of a queue, which others don't see for `visibility` seconds."""
        self.queue, self._visibility = queue, visibility
        self._in_flight = InFlight(queue, visibility=visibility)
        self._working_on: set[str] = set()
        self._lock = Lock()

    def receive(self, most: int) -> list[DeadLetter]:
        """Receive some letters; they stay in flight until they are deleted or all are given back."""
        letters = self.queue.receive(most, visibility=self._visibility)
        self._in_flight.add(letters)
        return letters

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
        """Delete letters, and return those that are gone."""
        if not letters:
            return []
        remaining = self.queue.delete(letters)
        gone = [letter for letter in letters if letter not in remaining]
        self._in_flight.remove(gone)
        return gone

    def give_back(self) -> None:
        """Let others see at once what was received and not deleted."""
        self._in_flight.give_back()
