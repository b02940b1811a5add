"""Reading the input, and submitting it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.submit import LIMIT, SAMPLE, Line, read_lines, submit


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "records.jsonl"
    path.write_bytes(content)
    return path


def test_lines_are_counted_from_one_and_blank_ones_left_out(tmp_path: Path) -> None:
    lines = read_lines(file_of(tmp_path, b'\n {"a": 1} \r\n\n2'))
    assert [(line.number, line.content) for line in lines] == [(2, b'{"a": 1}'), (4, b"2")]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_over_one_megabyte_is_cut_while_it_is_read_and_refused(tmp_path: Path, end: bytes) -> None:
    content = b"1\n" + b"x" * LIMIT + b"\n" + b"y" * (3 * LIMIT) + b"\n" + b"z" * (LIMIT + 1) + end
    one, longest, longer, long = read_lines(file_of(tmp_path, content))
    assert (one.problem, longest.problem, len(longest.content)) == ("", "", LIMIT)
    assert [(line.number, line.content) for line in (longer, long)] == [(3, b"y" * SAMPLE), (4, b"z" * SAMPLE)]
    assert longer.problem == long.problem == "a line must have at most 1048576 bytes"


def test_what_is_refused_while_it_is_read_is_not_sent(tmp_path: Path) -> None:
    client: Any = None  # any call of it fails
    (submission,) = submit(client, "f", [read_lines(file_of(tmp_path, b"x" * (LIMIT + 1)))], lambda _: None)
    assert (submission.request_id, submission.refusal) == (None, "a line must have at most 1048576 bytes")


class Lambda:
    """Answers invocations with a request id for each, or refuses them."""

    def __init__(self, *, refuse: bytes = b"none") -> None:
        self._refuse = refuse
        self.payloads: list[bytes] = []

    def invoke(self, *, Payload: bytes, **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.payloads.append(Payload)
        if self._refuse in Payload:
            raise ClientError({"Error": {"Code": "413", "Message": "too large"}}, "Invoke")
        return {"Payload": BytesIO(), "ResponseMetadata": {"RequestId": f"request {len(self.payloads)}"}}


def test_a_line_alone_is_sent_as_it_stands_and_several_as_an_array() -> None:
    client, done = Lambda(), list[int]()
    one, two, three = (Line(number, b'{"n": %d}' % number) for number in (1, 2, 3))
    submissions = [*submit(client, "f", [(one,), (two, three)], done.append)]
    assert sorted(client.payloads) == [b'[{"n": 2},{"n": 3}]', b'{"n": 1}']
    assert [submission.line for submission in submissions] == [one, two, three]
    assert submissions[1].request_id == submissions[2].request_id != submissions[0].request_id
    assert sorted(done) == [1, 2]


def test_each_line_of_a_batch_that_lambda_refuses_is_refused() -> None:
    lines = [Line(number, b"%d" % number) for number in (1, 2)]
    submissions = [*submit(Lambda(refuse=b"["), "f", [lines], lambda _: None)]
    assert [(one.line.number, one.request_id, one.refusal) for one in submissions] == [
        (1, None, "too large"),
        (2, None, "too large"),
    ]
