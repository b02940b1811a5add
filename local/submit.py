"""Submits records as a producer does: the lines of a file, as asynchronous invocations of the entry, by the SDK."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple

from botocore.exceptions import ClientError

from .errors import LocalError

THREADS = 4
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


class Submission(NamedTuple):
    """What Lambda answered to a line: a request id, or why it refused."""

    line: Line
    request_id: str | None
    refusal: str | None = None


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a file, each of them a JSON document to submit as it stands.

    Raises:
        LocalError: There is no such file, or nothing in it.
    """
    try:
        with path.open("rb") as raw:
            file: Any = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            lines = [line for line in _read(file) if line.content]
    except (OSError, EOFError) as error:
        raise LocalError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
    if not lines:
        raise LocalError(f"{path} must have a JSON document on each line (got no line at all)")
    return lines


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


def submit(
    client: Any, function: str, events: Iterable[Sequence[Line]], progress: Callable[[int], None]
) -> Generator[Submission, None, None]:
    """Submit the lines of each event to a function, calling `progress` with their number after each."""

    def send(lines: Sequence[Line]) -> list[Submission]:
        submissions = _send(client, function, lines)
        progress(len(lines))
        return submissions

    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for submissions in pool.map(send, events):
                yield from submissions
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _send(client: Any, function: str, lines: Sequence[Line]) -> list[Submission]:
    if lines[0].problem:
        return [Submission(line, None, line.problem) for line in lines]
    try:
        answer = client.invoke(FunctionName=function, InvocationType="Event", Payload=payload(lines))
    except ClientError as error:
        return [Submission(line, None, str(error.response["Error"]["Message"])) for line in lines]
    answer["Payload"].read()  # empty, but the connection is used again only after its answer was read
    return [Submission(line, answer["ResponseMetadata"]["RequestId"]) for line in lines]


def payload(lines: Sequence[Line]) -> bytes:
    """Return an event: a line alone as it stands, several as an array."""
    return lines[0].content if len(lines) == 1 else b"[" + b",".join(line.content for line in lines) + b"]"
