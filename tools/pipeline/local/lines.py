"""The lines of a file, each a JSON document: read one at a time, and anew as often as they are asked for."""

from __future__ import annotations

import gzip
import shutil
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from .errors import LocalError

LIMIT = 1024 * 1024
"""Bytes of an asynchronous event. A longer line is not kept in memory."""
SAMPLE = 200
"""Bytes that are kept of it."""


class Line(NamedTuple):
    """A line of the input that is not blank."""

    number: int
    """Counted from 1."""
    content: bytes
    problem: str = ""
    """Why it is not even sent; its content is then cut."""


class Lines:
    """The lines of a file that are not blank; a pipe is copied first, as it can't be read twice."""

    def __init__(self, path: Path) -> None:
        """Read the file once, to count its lines.

        Raises:
            LocalError: There is no such file, or nothing in it.
        """
        self._path = path
        with _explained(path):
            self._file = _seekable(path)
        weakref.finalize(self, self._file.close)
        self._count = sum(1 for _ in self)
        if not self._count:
            raise LocalError(f"{path} must have a JSON document on each line (got no line at all)")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Line]:
        with _explained(self._path):
            self._file.seek(0)
            file: Any = gzip.GzipFile(fileobj=self._file) if self._path.suffix == ".gz" else self._file
            yield from (line for line in _read(file) if line.content)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise LocalError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error


def _seekable(path: Path) -> IO[bytes]:
    file = path.open("rb")
    if file.seekable():
        return file
    with file:
        copy = TemporaryFile()  # noqa: SIM115 - it stays open as long as its lines are read
        shutil.copyfileobj(file, copy)
    return copy


def _read(file: IO[bytes]) -> Iterator[Line]:
    number = 0
    while content := file.readline(LIMIT + 1):
        number += 1
        if len(content) <= LIMIT or content.endswith(b"\n"):
            yield Line(number, content.strip())
            continue
        while (rest := file.readline(LIMIT)) and not rest.endswith(b"\n"):
            pass
        yield Line(number, content[:SAMPLE], f"a line must have at most {LIMIT} bytes")
