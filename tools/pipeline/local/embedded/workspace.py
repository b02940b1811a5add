"""The temporary folder of one embedded AWS. All that it writes is in there; folders of dead ones are removed."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

from .tether import GRACE

PREFIX = "embedded-aws-"
YOUNG = 60  # seconds within which a folder may be without a lock, because its owner is about to make it


class Workspace(AbstractContextManager["Workspace"]):
    """A temporary folder, locked while one of its owners lives: however a process ends, its locks end with it."""

    def __init__(self) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def folder(self, name: str) -> Path:
        """Return a folder within, made if need be."""
        path = self.path / name
        path.mkdir(exist_ok=True)
        return path

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        remove(self.path)
        os.close(self.lock)

    def __exit__(self, *_: object) -> None:
        self.remove()


def remove(folder: Path) -> None:
    """Remove a folder, also if a program that is about to be killed still writes to it."""
    deadline = time.monotonic() + GRACE
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove this user's folders whose owners were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_dead(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_dead(path: Path) -> bool:
    try:
        # Anybody may make a folder or a link of that name.
        if path.is_symlink() or path.lstat().st_uid != os.getuid():
            return False
        lock = os.open(path / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return path.exists() and time.time() - path.stat().st_mtime > YOUNG
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
