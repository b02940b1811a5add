"""Submitting lines."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.lines import Line
from pipeline.local.submit import AHEAD, THREADS, Submission, submit


def submitted(client: Any, *events: Sequence[Line]) -> list[Submission]:
    noted: list[Submission] = []
    submit(client, "f", events, noted.extend)
    return noted


def test_what_is_refused_while_it_is_read_is_not_sent() -> None:
    (submission,) = submitted(None, [Line(1, b"xxx", "it is too long")])  # any call of the client fails
    assert (submission.request_id, submission.refusal) == (None, "it is too long")


class Lambda:
    """Answers invocations with a request id for each, or refuses them."""

    def __init__(self, *, refuse: bytes = b"none", seconds: float = 0) -> None:
        self._refuse, self._seconds = refuse, seconds
        self.payloads: list[bytes] = []
        self._numbers = itertools.count(1)

    def invoke(self, *, Payload: bytes, **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.payloads.append(Payload)
        number = next(self._numbers)  # each thread gets one of its own
        time.sleep(self._seconds)
        if self._refuse in Payload:
            raise ClientError({"Error": {"Code": "413", "Message": "too large"}}, "Invoke")
        return {"Payload": BytesIO(), "ResponseMetadata": {"RequestId": f"request {number}"}}


def test_a_line_alone_is_sent_as_it_stands_and_several_as_an_array() -> None:
    client = Lambda()
    one, two, three = (Line(number, b'{"n": %d}' % number) for number in (1, 2, 3))
    submissions = submitted(client, (one,), (two, three))
    assert sorted(client.payloads) == [b'[{"n": 2},{"n": 3}]', b'{"n": 1}']
    assert [submission.line for submission in submissions] == [one, two, three]
    assert submissions[1].request_id == submissions[2].request_id != submissions[0].request_id


def test_each_line_of_a_batch_that_lambda_refuses_is_refused() -> None:
    submissions = submitted(Lambda(refuse=b"["), [Line(number, b"%d" % number) for number in (1, 2)])
    assert [(one.line.number, one.request_id, one.refusal) for one in submissions] == [
        (1, None, "too large"),
        (2, None, "too large"),
    ]


def test_lines_are_read_while_they_are_sent() -> None:
    read: list[int] = []
    noted: list[Submission] = []

    def events() -> Iterator[tuple[Line]]:
        for number in range(10 * AHEAD):
            assert len(read) - len(noted) <= AHEAD
            read.append(number)
            yield (Line(number, b"1"),)

    submit(Lambda(), "f", events(), noted.extend)
    assert [one.line.number for one in noted] == read


@pytest.mark.parametrize("where", ["reading", "noting"])
def test_what_was_sent_before_an_interruption_is_noted_and_nothing_more_is_sent(where: str) -> None:
    client, noted = Lambda(), dict[int, Submission]()
    interrupted = False

    def events() -> Iterator[tuple[Line]]:
        for number in range(100):
            if where == "reading" and number == 30:
                raise KeyboardInterrupt
            yield (Line(number, b"%d" % number),)

    def note(submissions: Sequence[Submission]) -> None:
        nonlocal interrupted
        noted.update((one.line.number, one) for one in submissions)
        if where == "noting" and len(noted) == 10 and not interrupted:
            interrupted = True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        submit(client, "f", events(), note)
    assert sorted(client.payloads) == sorted(b"%d" % number for number in noted)
    assert len(noted) < 100


def test_of_what_was_read_ahead_nothing_is_sent_after_an_interruption() -> None:
    client, noted = Lambda(seconds=0.1), list[Submission]()

    def events() -> Iterator[tuple[Line]]:
        for number in range(AHEAD - 1):
            yield (Line(number, b"1"),)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        submit(client, "f", events(), noted.extend)
    assert len(noted) == len(client.payloads) <= 2 * THREADS
