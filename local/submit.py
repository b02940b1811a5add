"""Submitting records as a producer does: asynchronous invocations of the validator's alias, by the SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from local.records import Line

THREADS = 4


class Submission(NamedTuple):
    """What the door said to a line: a request id, or why not."""

    line: Line
    request_id: str | None
    refusal: str | None = None


def submit(client: Any, function: str, lines: Iterable[Line], progress: Callable[[], None]) -> list[Submission]:
    """Submit lines to a function, calling `progress` after each."""

    def send(line: Line) -> Submission:
        submission = _send(client, function, line)
        progress()
        return submission

    with ThreadPoolExecutor(THREADS) as pool:
        return list(_until_error(pool, pool.map(send, lines)))


def _until_error(pool: ThreadPoolExecutor, submissions: Iterator[Submission]) -> Iterator[Submission]:
    try:
        yield from submissions
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _send(client: Any, function: str, line: Line) -> Submission:
    try:
        answer = client.invoke(FunctionName=function, InvocationType="Event", Payload=line.content)
    except ClientError as error:
        return Submission(line, None, str(error.response["Error"]["Message"]))
    answer["Payload"].read()  # empty, but the connection is used again only after its answer was read
    return Submission(line, answer["ResponseMetadata"]["RequestId"])
