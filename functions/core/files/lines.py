"""The lines of a file: a stream of bytes, of whatever size, cut into lines that are held one at a time.

It handles a byte order mark, CRLF, blank lines, no line end at the end, a line that is too long, and a gzip stream that
is damaged or ends early.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Bytes of a line: what is longer fits into no event of Lambda's, and no item of DynamoDB's is half as long.
MOST = 1_000_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_GZIP = 31  # a gzip header and trailer around 32 KB of window: zlib's `wbits`
_AT_ONCE = 1024 * 1024  # bytes that are decompressed at once, however small they were


class DamagedFile(ValueError):  # noqa: N818 - the name says it, and it is the errorType that operators read
    """A file can't be decompressed, from its beginning or from a line on."""


class Line(NamedTuple):
    """A line that is not blank."""

    number: int  # counted from 1, the blank ones too
    content: bytes  # only its beginning if it is too long
    end: int  # the bytes of the text up to the line's end
    fault: str = ""  # why it can't be read, if it can't


def split(chunks: Iterable[bytes], *, number: int = 0, end: int = 0, places: bool = False) -> Iterator[Line]:
    """Yield the lines of a text, from the one after line `number`, which ended at the byte `end`.

    With `places` there is an empty line after each chunk, which says how far it was read.

    Raises:
        DamagedFile: nothing at all can be read; damage further on is the fault of the line that it is in.
    """
    rest, left_out = b"", 0
    try:
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            for content in whole:
                number, size = number + 1, left_out + len(content)
                end += size + 1
                yield from _line(number, content, end, size)
                left_out = 0
            if len(rest) > 2 * MOST:
                left_out += len(rest) - MOST - 1
                rest = rest[: MOST + 1]
            if places:
                yield Line(number, b"", end)
    except DamagedFile as damage:
        if not end and not rest:
            raise
        yield Line(number + 1, rest.strip(), end + left_out + len(rest), str(damage))
    else:
        yield from _line(number + 1, rest, end + left_out + len(rest), left_out + len(rest))


def _line(number: int, content: bytes, end: int, size: int) -> Iterator[Line]:
    """Yield a line of so many bytes; `content` may be only its beginning."""
    if number == 1:
        content = content.removeprefix(BYTE_ORDER_MARK)
    content = content.strip()
    too_long = size > 2 * MOST or len(content) > MOST
    if content or too_long:
        yield Line(number, content, end, f"it has more than {MOST} bytes" if too_long else "")


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a gzip file, which may be several one after the other.

    Raises:
        DamagedFile: it is none, is damaged, or ends early.
    """
    decoder = None
    try:
        for chunk in chunks:
            while chunk := chunk if decoder else chunk.lstrip(b"\0"):  # zeros may follow a file, as tapes had them
                decoder = decoder or zlib.decompressobj(_GZIP)
                yield decoder.decompress(chunk, _AT_ONCE)
                chunk = decoder.unused_data if decoder.eof else decoder.unconsumed_tail  # noqa: PLW2901
                decoder = None if decoder.eof else decoder
        if decoder:
            yield decoder.flush()
    except zlib.error as error:
        raise DamagedFile(f"the gzip file is damaged here ({error})") from error
    if decoder and not decoder.eof:
        raise DamagedFile("the gzip file ends here, before its end")


def skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Leave out so many bytes from the beginning. Chunks that are left out are yielded empty."""
    for chunk in chunks:
        yield chunk[count:]
        count = max(0, count - len(chunk))
