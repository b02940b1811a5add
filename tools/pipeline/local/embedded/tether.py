"""A child process that ends with its parent: when its standard input closes, it kills itself and all that it started.

As a program it does this for another one: `python -m pipeline.local.embedded.tether COMMAND...` runs the
command, passes its exit status on, and kills it when the parent is gone. A pipe closes however the parent ended, on
Linux and macOS alike.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

GRACE = 2.0  # seconds that the children get to end


def end_with_parent(cleanup: Callable[[], None] = lambda: None) -> None:
    """When standard input closes: end the children, clean up, and kill this process with its whole group.

    The process must lead a group of its own (`start_new_session=True`), and its standard input be a pipe that only the
    parent writes to.
    """
    ending, stopped = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        """Let the main thread write no more; before the end, the signal is for the group's other members."""
        stopped.set()
        while ending.is_set():
            time.sleep(GRACE)

    signal.signal(signal.SIGTERM, stop)  # a handler, unlike SIG_IGN, is not passed on to children
    threading.Thread(target=_watch, args=(ending, stopped, cleanup), daemon=True, name="tether").start()


def _watch(ending: threading.Event, stopped: threading.Event, cleanup: Callable[[], None]) -> None:
    while os.read(0, 1024):
        pass
    try:
        ending.set()
        stopped.clear()
        os.killpg(0, signal.SIGTERM)
        stopped.wait(GRACE)
        _reap(time.monotonic() + GRACE)
        cleanup()
    finally:
        os.killpg(0, signal.SIGKILL)


def _reap(deadline: float) -> None:
    """Wait for the children, so that none stays a zombie in a container without an init process."""
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
