"""A file of records as it is opened: plain or packed by gzip, standard input or another pipe.

What can be no file of records is refused here, before anything is sent, with a sentence that helps.
"""

import gzip
import json
import shutil
import sys
import zlib
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from pipeline.errors import MisuseError
from pipeline.records.lines import BYTE_ORDER_MARK, SPLIT, Line, read_lines

STDIN = Path("-")
GZIP = b"\x1f\x8b"
PACKED = {b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""How files begin that another program packed."""
MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # byte order marks of UTF-16 and UTF-32
GLANCE = 8192  # bytes of the beginning that are looked at
AT_ONCE = 1024 * 1024
SEPARATORS = (b",", b";", b"\t")


def is_resumable(path: Path) -> bool:
    """Return whether the same command can read the same lines again."""
    return path != STDIN and path.is_file()


class Source(AbstractContextManager["Source"]):
    """The lines of an input; a pipe that is to be read again is copied to the disk, so that it is read once."""

    def __init__(self, path: Path, *, again: bool = True) -> None:
        """Open an input and look at its beginning; a packed one is read to its end, to know that it is whole."""
        self.path = path
        with self._explained():
            self.file = sys.stdin.buffer if path == STDIN else path.open("rb")
            try:
                self._open(again=again)
            except BaseException:
                self.file.close()
                raise

    def _open(self, *, again: bool) -> None:
        if again and not self.file.seekable():
            self.file = _copied(self.file)
        beginning = _beginning(self.file)
        self.is_gzip = beginning.startswith(GZIP)
        if self.is_gzip and not self.file.seekable():
            self.file = _copied(self.file)
        self.is_pipe = not self.file.seekable()
        self._start = 0 if self.is_pipe else self.file.tell()
        if self.path.suffix.lower() == ".gz" and not self.is_gzip:
            raise self._refusal("is no gzip file, though its name ends in .gz")
        if packer := next((name for mark, name in PACKED.items() if beginning.startswith(mark)), None):
            raise self._refusal(f"was packed by {packer}: unpack it first, or pack it by gzip")
        self.size = self._measure(beginning)
        if not self.is_pipe:
            next(self.lines(), None)

    def __exit__(self, *_: object) -> None:
        if self.path != STDIN:
            self.file.close()

    def rewind(self) -> None:
        """Go back to the beginning, unless it is a pipe."""
        if not self.is_pipe:
            self.file.seek(self._start)

    def lines(self, *, too_long: Callable[[bytes], object] = bytes) -> Iterator[Line]:
        """Yield the lines; of a pipe that was not copied, once."""
        with self._explained():
            self.rewind()
            lines = read_lines(self._text(), too_long=too_long)
            first = list(islice(lines, 2))
            self._require_records(first)
            yield from first
            yield from lines

    def chosen(self, numbers: Container[int]) -> Iterator[Line]:
        """Yield the lines with these numbers."""
        return (line for line in self.lines() if line.number in numbers)

    def _text(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=self.file)) if self.is_gzip else self.file

    def _measure(self, beginning: bytes) -> int | None:
        """Return the bytes of text, None if it is a pipe's; a packed text is read from end to end."""
        if not self.is_gzip:
            self._require_utf8(beginning)
            return None if self.is_pipe else self.file.seek(0, 2) - self._start
        text = self._text()
        self._require_utf8(chunk := text.read(GLANCE))
        size = 0
        while chunk:
            size += len(chunk)
            chunk = text.read(AT_ONCE)
        return size

    def _require_utf8(self, beginning: bytes) -> None:
        """Refuse a text in another encoding, or with line ends that would make it one line."""
        name = "-".join(json.detect_encoding(beginning).upper().split("-")[:2])
        if name != "UTF-8" and (beginning.startswith(MARKS) or beginning.count(0) > len(beginning) // 4):
            raise self._refusal(f"is {name}, not UTF-8: convert it, such as by iconv -f {name} -t UTF-8")
        self._begins_array = beginning.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"[")
        parts = [part for part in beginning.split(b"\r") if part.strip()] if b"\n" not in beginning else []
        if len(parts) > 1 and _value(parts[0]) is not _NONE:
            raise self._refusal("has lines that end in CR alone: convert them, such as by tr '\\r' '\\n'")

    def _require_records(self, first: Sequence[Line]) -> None:
        """Refuse JSON that goes on over several lines, an array as all there is, and CSV."""
        if not first:
            raise self._refusal("must have a JSON document on each line (got no line at all)")
        values = [_value(line.content) for line in first]
        is_whole_array = len(first) == 1 and (isinstance(values[0], list) or not first[0].content)
        is_cut = first[0].content == b"[" or (_is_cut(first[0].content) and values[1:] == [_NONE])
        if self._begins_array and (is_whole_array or is_cut):
            raise self._refusal(f"is one JSON array: {SPLIT}")
        if is_cut:
            raise self._refusal("holds JSON that goes on over several lines: write it in one, such as by jq -c .")
        if values == [_NONE, _NONE] and _is_csv(*(line.content for line in first)):
            raise self._refusal("looks like CSV: write each row as a JSON object on a line of its own")

    def _refusal(self, what: str) -> MisuseError:
        return MisuseError(f"{self.path} {what}.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, zlib.error) as error:
            raise self._refusal(f"can't be read: {getattr(error, 'strerror', None) or error}") from error


_NONE = object()  # what a line that is no JSON holds


def _copied(file: IO[bytes]) -> IO[bytes]:
    copy = TemporaryFile()  # noqa: SIM115 - it stays open as long as its lines are read
    shutil.copyfileobj(file, copy)
    copy.seek(0)
    return cast("IO[bytes]", copy)


def _beginning(file: IO[bytes]) -> bytes:
    if not file.seekable():
        return file.peek(GLANCE)  # type: ignore[attr-defined, no-any-return]
    start = file.tell()
    beginning = file.read(GLANCE)
    file.seek(start)
    return beginning


def _value(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _NONE


def _is_cut(content: bytes) -> bool:
    """Return whether a line is the beginning of an object or an array that goes on."""
    try:
        json.loads(content.decode())
    except json.JSONDecodeError as error:
        return content.startswith((b"{", b"[")) and error.pos >= len(error.doc)
    except (ValueError, RecursionError):
        pass
    return False


def _is_csv(first: bytes, second: bytes) -> bool:
    try:
        (first + second).decode()
    except UnicodeDecodeError:
        return False
    counts = [(first.count(one), second.count(one)) for one in SEPARATORS]
    return not first.startswith((b"{", b"[")) and any(one == other > 0 for one, other in counts)
