"""Which lines of an input Lambda has accepted, kept beside it so that an interrupted submission can resume.

The first line is the header, which is on the disk before anything is sent: stamps are counted from its time, so a line
that is sent again has the stamp that it had. Each further line is the number and the digest of a line that Lambda
accepted. One that was accepted in the very moment of a crash is sent again, which is harmless with a timestamp.
"""

import fcntl
import json
import os
import re
from array import array
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Self

from pipeline.errors import MisuseError
from pipeline.records.files import open_private
from pipeline.records.lines import Line

_LINE = re.compile(rb"([1-9][0-9]{0,11}) ([0-9a-f]{16})\n")
_CHUNK = 4096  # lines whose digests are kept together


class Header(NamedTuple):
    """What a submission is, apart from its input."""

    function: str  # the ARN that the lines are sent to
    timestamp: str  # `now` or `keep`
    started: int  # in ms since the epoch

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read a journal's first line, or raise a ValueError."""
        fields = json.loads(text)
        if not isinstance(fields, dict) or [*fields] != [*cls._fields]:
            raise ValueError("other fields than a header has")
        header = cls(**fields)
        if not isinstance(header.function, str) or header.timestamp not in ("now", "keep"):
            raise ValueError("other values than a header has")
        if type(header.started) is not int or not 0 < header.started < 10**15:
            raise ValueError("no time in ms since the epoch")
        return header


class Journal(AbstractContextManager["Journal"]):
    """The journal of one input within this context; lines may be added from any number of threads."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._accepted = _Digests()
        try:
            self._file = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            problem = f"The journal {path} can't be written ({error.strerror}): name another by --journal."
            raise MisuseError(problem) from error
        try:
            self._lock()
            self.header = self._open(header)
        except BaseException:
            os.close(self._file)
            raise

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def holds(self, line: Line) -> bool:
        """Return whether a line was accepted before."""
        digest = self._accepted.get(line.number)
        if digest and digest != int(line.digest, 16):
            raise MisuseError(
                f"Line {line.number} is not the one that was submitted before: restore the input, or remove "
                f"{self.path} to submit all of it anew."
            )
        return digest != 0

    def add(self, lines: Iterable[Line]) -> None:
        """Note that the lines of an event were accepted."""
        try:
            os.write(self._file, "".join(f"{line.number} {line.digest}\n" for line in lines).encode())
        except OSError as error:
            raise MisuseError(f"The journal {self.path} can't be written any more ({error.strerror}).") from error

    def remove(self) -> None:
        """Remove the journal: nothing is left to resume."""
        self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MisuseError(f"Another submission of this input is running: it uses {self.path}.") from error

    def _read(self) -> Header | None:
        """Read what there is, line by line; a last one that a crash of the machine cut off is dropped."""
        with os.fdopen(os.dup(self._file), "rb") as file:
            whole = 0
            header = None
            try:
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    whole += len(line)
                    if header:
                        self._accepted.set(*_accepted(line))
                    else:
                        header = Header.read(line)
                if os.fstat(self._file).st_size and not header:
                    raise ValueError("no whole line")
            except ValueError as error:
                problem = f"{self.path} is not a journal of `submit`: name another file by --journal."
                raise MisuseError(problem) from error
        os.ftruncate(self._file, whole)
        return header

    def _open(self, asked: Header) -> Header:
        """Return the header that there is, or begin with the one that is asked for."""
        header = self._read()
        if header is None:
            return self._begin(asked)
        if (header.function, header.timestamp) == (asked.function, asked.timestamp):
            return header
        if not self._accepted.count:
            os.ftruncate(self._file, 0)
            return self._begin(asked)
        raise MisuseError(
            f"{self.path} is the journal of a submission to {header.function} with --timestamp {header.timestamp} "
            f"(now: {asked.function}, {asked.timestamp}): finish that one, or remove the journal to begin anew."
        )

    def _begin(self, header: Header) -> Header:
        os.write(self._file, json.dumps(header._asdict()).encode() + b"\n")
        os.fsync(self._file)
        return header


def read_header(path: Path) -> Header | None:
    """Return the header of the journal at `path`; None if there is none."""
    try:
        with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
            return Header.read(file.readline(10_000))
    except (OSError, ValueError):
        return None


class _Digests:
    """The digests of accepted lines by the lines' numbers, 8 bytes each; 0 for a line that is not among them."""

    def __init__(self) -> None:
        self._chunks: dict[int, array[int]] = {}
        self.count = 0

    def get(self, number: int) -> int:
        chunk = self._chunks.get(number // _CHUNK)
        return chunk[number % _CHUNK] if chunk else 0

    def set(self, number: int, digest: int) -> None:
        chunk = self._chunks.get(number // _CHUNK)
        if chunk is None:
            chunk = self._chunks[number // _CHUNK] = array("Q", bytes(8 * _CHUNK))
        chunk[number % _CHUNK] = digest
        self.count += 1


def _accepted(line: bytes) -> tuple[int, int]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("no line of a journal")
    return int(match[1]), int(match[2], 16)
