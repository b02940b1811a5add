import io
import json

import pytest

from operate.submission.lines import InvalidLineError, Line, event, read_lines


def lines(content: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(content)))


def test_blank_lines_are_left_out_but_counted() -> None:
    assert [(line.number, line.content) for line in lines(b'{"a":1}\n\n  \r\n{"b":2}\r\n3')] == [
        (1, b'{"a":1}'),
        (4, b'{"b":2}'),
        (5, b"3"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert lines(b"\xef\xbb\xbf{}\n")[0].content == b"{}"


def test_the_last_line_ends_where_the_input_does() -> None:
    content = b'{"a":1}\n\n{"b":2}'
    assert lines(content)[-1].end == len(content)


def test_a_line_is_sent_as_it_stands() -> None:
    line = lines('{"id" : "ä",  "data": 1.10, "data": 2}'.encode())[0]
    assert event(line, started=None) == line.content


def test_a_line_that_was_edited_has_another_digest() -> None:
    first, second, again = lines(b'{"a":1}\n{"a":2}\n{"a":1}\n')
    assert first.digest == again.digest != second.digest


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"order-1", "not JSON"),
        (b'{"data": NaN}', "JSON has no NaN"),
        (b'{"id": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_lambda_would_not_take_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidLineError, match=reason):
        event(lines(content)[0], started=None)


def test_each_record_without_a_timestamp_gets_its_own_and_the_same_each_time() -> None:
    content = b'{"id":"a","data":1}\n{"id":"a","data":2}\n'
    stamps = [json.loads(event(line, started=1000))["timestamp"] for line in lines(content) * 2]
    assert stamps == [1000, 1001, 1000, 1001]


@pytest.mark.parametrize("content", [b'{"id":"a","timestamp":7}', b'{"timestamp":null}', b"[1]", b'"a"'])
def test_what_has_a_timestamp_or_can_have_none_is_left_alone(content: bytes) -> None:
    assert event(lines(content)[0], started=1000) == content
