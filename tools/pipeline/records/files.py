"""The files that a command writes: readable by nobody else, and never written through a symbolic link."""

import os
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from pipeline.errors import MisuseError


def open_private(path: Path, flags: int) -> int:
    """Open a file for nobody else to read; refuse a symbolic link, another user's file, and what others can write."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _require_own(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def require_own(path: Path) -> None:
    """Refuse a file that somebody else may have written."""
    if os.path.lexists(path):
        _require_own(path, path.lstat())


def _require_own(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise MisuseError(f"{path} must be your own file (it is that of the user {status.st_uid}): remove it.")
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o022:
        mode = stat.filemode(status.st_mode)
        raise MisuseError(f"{path} must be writable by you alone (it is {mode}): if you trust it, chmod go-w it.")


class NewFile(AbstractContextManager["NewFile"]):
    """A file of lines within this context; it appears under its name only when it is finished, and if it has any."""

    def __init__(self, path: Path, *, option: str) -> None:
        if os.path.lexists(path):
            raise MisuseError(f"{path} is there already: move it away, or name another file by {option}.")
        self.path = path
        self._option = option
        self._part = path.with_name(path.name + ".part")
        self._file: IO[bytes] | None = None
        self._is_open_line = False

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def write_line(self, content: bytes) -> None:
        """Write a line, behind one whose end was not written."""
        self.write(b"\n" * self._is_open_line + content + b"\n")

    def write(self, content: bytes) -> None:
        """Write a part of a line."""
        self._is_open_line = not content.endswith(b"\n")
        try:
            if self._file is None:
                self._part.unlink(missing_ok=True)  # of a command that was killed
                descriptor = open_private(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                self._file = os.fdopen(descriptor, "wb")
            self._file.write(content)
        except OSError as error:
            problem = f"{self._part} can't be written ({error.strerror}): name another file by {self._option}."
            raise MisuseError(problem) from error

    def finish(self) -> None:
        """Let the file appear, if there is anything in it."""
        if self._file is not None:
            self._file.close()
            self._part.replace(self.path)
