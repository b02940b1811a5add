"""A child process that ends with its parent: at the end of its standard input it ends, with all that it started.

Run as a program it tethers another one: `python -m local.tether COMMAND...` runs the command, passes its exit status
on, and kills it when the parent is gone. A pipe's end comes however the parent ended, on Linux and macOS alike.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

GRACE = 2.0
"""Seconds that the children get to end."""


def end_with_parent(cleanup: Callable[[], None] = lambda: None) -> None:
    """Watch standard input, and at its end kill this process' whole group, after its children and a cleanup.

    The process must lead a group of its own (`start_new_session=True`), and its standard input be a pipe that only the
    parent writes to.
    """
    # The signal that ends the group's other members; a handler, unlike SIG_IGN, is not passed on to children.
    signal.signal(signal.SIGTERM, lambda *_: None)
    threading.Thread(target=_watch, args=(cleanup,), daemon=True, name="tether").start()


def _watch(cleanup: Callable[[], None]) -> None:
    while os.read(0, 1024):
        pass
    try:
        os.killpg(0, signal.SIGTERM)
        _reap(time.monotonic() + GRACE)
        cleanup()
    finally:
        os.killpg(0, signal.SIGKILL)


def _reap(deadline: float) -> None:
    """Wait for the children, so that none is left as a zombie where nobody inherits it."""
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)


def main(command: list[str]) -> int:
    """Run a command that ends with the parent of this process."""
    end_with_parent()
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
