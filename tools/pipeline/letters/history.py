"""What was redriven from this machine: the request ids by which a letter that comes back is told from a new one.

A redriven event is a new invocation. Lambda answers it with a request id, and a letter that comes of it names that id:
as its own where the same stage failed again, within its envelopes where a later stage did. So nothing has to be written
into the event.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from types import TracebackType

from pipeline.records.files import open_private

KEPT = 15 * 24 * 60 * 60
"""Seconds; the queue keeps a letter for 14 days."""
_LINE = re.compile(r"([0-9]{1,12}) ([!-~]{1,128}) ([0-9]{1,9})")


def default_path(queue_arn: str) -> Path:
    """Return the file for a queue, where programs keep their state."""
    _, _, _, region, account, name = queue_arn.split(":")
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "pipeline" / f"redriven-{account}-{region}-{name}"


class History:
    """The redrives of one queue, within this context; for any number of threads.

    Each is one line: the time in seconds since the epoch, the request id, and how often its event was redriven.
    """

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        self.path = path
        self._writing = writing
        self._lock = Lock()
        self._file: int | None = None
        self._times: dict[str, int] = {}
        self._new: set[str] = set()
        self.problem = ""
        """Why letters that come back can't be told for sure; empty when they can."""

    def __enter__(self) -> History:
        try:
            if self._writing:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = open_private(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
                self._forget_old(self._file)
            self._times = {request_id: times for _, request_id, times in _lines(self.path)}
        except (OSError, ValueError) as error:
            self.problem = f"{self.path} can't be used: {getattr(error, 'strerror', None) or error}"
            self.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def times(self, request_ids: Iterable[str]) -> int:
        """Return how often an event was redriven before the invocations that led to a letter."""
        with self._lock:
            return max((self._times.get(request_id, 0) for request_id in request_ids), default=0)

    def came_back(self, request_ids: Iterable[str]) -> bool:
        """Return whether an event was redriven within this context before the invocations that led to a letter."""
        with self._lock:
            return any(request_id in self._new for request_id in request_ids)

    def add(self, request_ids: Iterable[str], new: str) -> None:
        """Note that the event of a letter, which these invocations led to, was sent again as the invocation `new`."""
        times = self.times(request_ids) + 1
        with self._lock:
            self._times[new] = times
            self._new.add(new)
            self._write(f"{int(time.time())} {new} {times}\n")

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            os.write(self._file, line.encode())
        except OSError as error:  # the letter's event was accepted: that must not fail now
            self.problem = f"{self.path} can't be written: {error.strerror or error}"

    def _forget_old(self, file: int) -> None:
        """Drop the lines that no letter can name any more, unless another redrive is writing."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fcntl.flock(file, fcntl.LOCK_SH)
            return
        lines = _lines(self.path)
        young = [line for line in lines if line[0] > time.time() - KEPT]
        if len(young) < len(lines):
            os.ftruncate(file, 0)
            os.write(file, "".join(f"{at} {request_id} {times}\n" for at, request_id, times in young).encode())
        fcntl.flock(file, fcntl.LOCK_SH)


def _lines(path: Path) -> list[tuple[int, str, int]]:
    """Read a history's lines; one that was cut off is passed over.

    Raises:
        ValueError: It is another file: the first line is none of a history.
    """
    if not path.exists():
        return []
    matches = [_LINE.fullmatch(line) for line in path.read_text("utf-8", "replace").splitlines()]
    if matches and matches[0] is None:
        raise ValueError("it is not a history of redrives")
    return [(int(match[1]), match[2], int(match[3])) for match in matches if match]
