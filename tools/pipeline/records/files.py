"""The files that a command writes: readable by nobody else, and never written through a symbolic link."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import IO

from pipeline.errors import MisuseError


def open_private(path: Path, flags: int) -> int:
    """Open a file for nobody else to read; a symbolic link in its place is refused.

    Raises:
        OSError: It can't be opened so.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


class NewFile:
    """A file of lines within this context; it appears under its name only when it is finished, and if it has any."""

    def __init__(self, path: Path, *, option: str) -> None:
        """Be ready to write to `path`, which an option of the command names.

        Raises:
            MisuseError: There is such a file.
        """
        if os.path.lexists(path):
            raise MisuseError(f"{path} is there already: move it away, or name another file by {option}.")
        self.path = path
        self._option = option
        self._part = path.with_name(path.name + ".part")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def write(self, content: bytes) -> None:
        """Write a part of a line, or several lines."""
        try:
            if self._file is None:
                self._part.unlink(missing_ok=True)  # of a command that was killed
                descriptor = open_private(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                self._file = os.fdopen(descriptor, "wb")
            self._file.write(content)
        except OSError as error:
            raise MisuseError(
                f"{self._part} can't be written ({error.strerror}): name another file by {self._option}."
            ) from error

    def finish(self) -> None:
        """Let the file appear, if there is anything in it."""
        if self._file is not None:
            self._file.close()
            self._part.replace(self.path)
