"""The lines that were not accepted, in a file that `submit` takes again."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO

from operate.errors import MisuseError


class Rejected:
    """A file of lines within this context; it appears under its name only when it is complete."""

    def __init__(self, path: Path) -> None:
        """Be ready to write to `path`.

        Raises:
            MisuseError: There is such a file.
        """
        if path.exists():
            raise MisuseError(
                f"{path} holds lines of an earlier submission: submit it, move it away, or name another file by "
                "--rejected."
            )
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Rejected:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def add(self, content: bytes) -> None:
        """Write a line."""
        try:
            if self._file is None:
                self._file = self._part.open("wb")
            self._file.write(content + b"\n")
        except OSError as error:
            raise MisuseError(
                f"{self._part} can't be written ({error.strerror}): name another file by --rejected."
            ) from error

    def finish(self) -> None:
        """Let the file appear, if there is anything in it."""
        if self._file is not None:
            self._file.close()
            self._part.replace(self.path)
