"""Signals that end the program: they raise where nothing is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_AGAIN = 0.02
"""Seconds after which a signal that came at a bad moment is looked at again."""
WAITING = 3
"""Looks that find the program in the same place, after which it counts as waiting there."""
LOCKS = (threading.__file__, str(Path(futures.__file__).parent))
"""Code of the standard library that keeps a lock for ever, or forgets what it was given, if it is interrupted."""


class Signalled(KeyboardInterrupt):
    """A signal that ends the program as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def listen() -> None:
    """Let the signals that end a program raise in the main thread, but for Ctrl-C if it is ignored (`nohup`)."""
    for number in ENDING:
        if number != signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _signals.take)
    signal.signal(signal.SIGALRM, _signals.look)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the main thread finish what is to be done whole, which must not take long."""
    _signals.held += 1
    try:
        yield
    finally:
        _signals.held -= 1


class _Signals:
    """The signal that is to be raised, if any, and where it found the main thread."""

    def __init__(self) -> None:
        self.held = 0
        self._number = 0
        self._place: tuple[FrameType | None, int] = (None, 0)
        self._looks = 0

    def take(self, number: int, frame: FrameType | None) -> None:
        """Raise the signal now, or as soon as may be."""
        self._number = number
        self.look(number, frame)

    def look(self, _number: int, frame: FrameType | None) -> None:
        """Raise the signal if this is a good moment."""
        place = (frame, frame.f_lasti if frame else 0)
        self._looks = self._looks + 1 if place == self._place else 1
        self._place = place
        if self.held or (_in_locks(frame) and self._looks < WAITING):
            signal.setitimer(signal.ITIMER_REAL, LOOK_AGAIN)
            return
        self._place, self._looks = (None, 0), 0
        raise Signalled(self._number)


def _in_locks(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename.startswith(LOCKS):
            return True
        frame = frame.f_back
    return False


_signals = _Signals()
