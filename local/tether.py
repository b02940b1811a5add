"""A child process that ends with its parent: at the end of its standard input it ends, with all that it started.

Run as a program it tethers another one: `python -m local.tether COMMAND...` runs the command, passes its exit status
on, and kills it when the parent is gone. A pipe's end comes however the parent ended, on Linux and macOS alike.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable


def end_with_parent(cleanup: Callable[[], None] = lambda: None) -> None:
    """Watch standard input, and at its end clean up and kill this process' whole group.

    The process must lead a group of its own (`start_new_session=True`), and its standard input be a pipe that only the
    parent writes to.
    """
    threading.Thread(target=_watch, args=(cleanup,), daemon=True, name="tether").start()


def _watch(cleanup: Callable[[], None]) -> None:
    while os.read(0, 1024):
        pass
    try:
        cleanup()
    finally:
        os.killpg(os.getpgid(0), signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run a command that ends with the parent of this process."""
    end_with_parent()
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
