import io
import json

import pytest

from pipeline.records.lines import MOST, InvalidLineError, Line, event, read_lines


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


def test_a_line_that_is_too_long_is_never_held_and_handed_on_part_by_part() -> None:
    long = b"x" * 3 * MOST
    parts: list[bytes] = []
    found = list(read_lines(io.BytesIO(b'{"a":1}\n' + long + b"\r\n[2]\n" + long), too_long=parts.append))
    assert [(line.number, line.content) for line in found] == [(1, b'{"a":1}'), (2, b""), (3, b"[2]"), (4, b"")]
    assert b"".join(parts) == long + b"\r\n" + long
    assert found[-1].end == len(b'{"a":1}\n' + long + b"\r\n[2]\n" + long)
    assert max(map(len, parts)) <= MOST + 2
    with pytest.raises(InvalidLineError, match="more than 1047376 bytes"):
        event(found[1], started=None)


@pytest.mark.parametrize(("size", "taken"), [(MOST, True), (MOST + 1, False), (MOST + 2, False)])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line_is_one_whose_dead_letter_fits_into_the_queue(size: int, taken: bool, end: bytes) -> None:
    (line,) = read_lines(io.BytesIO(b'"' + b"x" * (size - 2) + b'"' + end))
    if taken:
        assert event(line, started=None) == line.content
    else:
        with pytest.raises(InvalidLineError):
            event(line, started=None)
