"""Submits lines as a producer does: as asynchronous invocations of the entry, by the SDK."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from .lines import Line

THREADS = 4
AHEAD = 4 * THREADS
"""Events that are read before the first of them is answered."""


class Submission(NamedTuple):
    """What Lambda answered to a line: a request id, or why it refused."""

    line: Line
    request_id: str | None
    refusal: str | None = None


class Window:
    """The events that are being sent, in order."""

    def __init__(self, pool: ThreadPoolExecutor, note: Callable[[Sequence[Submission]], object]) -> None:
        self._pool, self._note = pool, note
        self._sent: deque[Future[list[Submission]]] = deque()

    def send(self, client: Any, function: str, lines: Sequence[Line]) -> None:
        """Send an event, as soon as there are not too many others."""
        while len(self._sent) >= AHEAD:
            self._settle()
        self._sent.append(self._pool.submit(_send, client, function, lines))

    def settle(self) -> None:
        """Note the answers that are not noted yet, but those to events that were not sent after all."""
        while self._sent:
            if self._sent[0].cancelled():
                self._sent.popleft()
            else:
                self._settle()

    def _settle(self) -> None:
        self._note(self._sent[0].result())  # interrupted here, it is noted once more
        self._sent.popleft()


def submit(
    client: Any, function: str, events: Iterable[Sequence[Line]], note: Callable[[Sequence[Submission]], object]
) -> None:
    """Submit the lines of each event to a function, and note the answers in order.

    Interrupted, it sends nothing more, and notes what was sent.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        window = Window(pool, note)
        try:
            for lines in events:
                window.send(client, function, lines)
            window.settle()
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            window.settle()
            raise


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
