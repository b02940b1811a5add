import io
import json

import pytest

from pipeline.records.json_values import MOST_DEPTH
from pipeline.records.lines import MOST, MOST_RECORDS, InvalidLineError, Line, LineNumbers, prepare, read_lines


def lines(content: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(content)))


def nested(depth: int) -> bytes:
    return b'{"data":' * depth + b"1" + b"}" * depth


def test_blank_lines_are_left_out_but_counted() -> None:
    found = [(line.number, line.content) for line in lines(b'{"a":1}\n\n  \r\n{"b":2}\r\n3')]
    assert found == [(1, b'{"a":1}'), (4, b'{"b":2}'), (5, b"3")]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert lines(b"\xef\xbb\xbf{}\n")[0].content == b"{}"


def test_the_last_line_ends_where_the_input_does() -> None:
    content = b'{"a":1}\n\n{"b":2}'
    assert lines(content)[-1].end == len(content)


def test_a_line_is_sent_as_it_stands() -> None:
    line = lines('{"id" : "ä",  "data": 1.10, "data": 2}'.encode())[0]
    assert prepare(line).content == line.content


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
        *(
            (deep, "nested more than 401 levels deep")
            for deep in (b"[" * 100_000, nested(402), b"[" + nested(402) + b"]")
        ),
        (b"[" + b"1," * MOST_RECORDS + b"1]", "holds 1001 records, and an event has at most 1000: .*jq -c"),
        (b'{"data": 1e400}', r"a double does not hold exactly \(1e400\): send it as a string"),
    ],
)
def test_what_lambda_would_not_take_is_told(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidLineError, match=reason):
        prepare(lines(content)[0])


def test_each_record_without_a_timestamp_gets_its_own_and_the_same_each_time() -> None:
    content = b'{"id":"a","data":1}\n{"id":"a","data":2}\n'
    stamps = [prepare(line, started=1000) for line in lines(content) * 2]
    assert [json.loads(one.content)["timestamp"] for one in stamps] == [1000, 1001, 1000, 1001]
    assert [one.document for one in stamps] == [json.loads(one.content) for one in stamps]


@pytest.mark.parametrize("content", [b'{"id":"a","timestamp":7}', b'{"timestamp":null}', b"[1]", b'"a"'])
def test_what_has_a_timestamp_or_can_have_none_is_left_alone(content: bytes) -> None:
    assert prepare(lines(content)[0], started=1000).content == content


def test_a_line_that_is_too_long_is_never_held_and_handed_on_part_by_part() -> None:
    long = b"x" * 3 * MOST
    parts: list[bytes] = []
    found = list(read_lines(io.BytesIO(b'{"a":1}\n' + long + b"\r\n[2]\n" + long), too_long=parts.append))
    assert [(line.number, line.content) for line in found] == [(1, b'{"a":1}'), (2, b""), (3, b"[2]"), (4, b"")]
    assert b"".join(parts) == long + b"\r\n" + long
    assert found[-1].end == len(b'{"a":1}\n' + long + b"\r\n[2]\n" + long)
    assert max(map(len, parts)) <= MOST + 2
    with pytest.raises(InvalidLineError, match="more than 1047376 bytes"):
        prepare(found[1])


@pytest.mark.parametrize(("size", "taken"), [(MOST, True), (MOST + 1, False), (MOST + 2, False)])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line_is_one_whose_dead_letter_fits_into_the_queue(size: int, taken: bool, end: bytes) -> None:
    (line,) = read_lines(io.BytesIO(b'"' + b"x" * (size - 2) + b'"' + end))
    if taken:
        assert prepare(line).content == line.content
    else:
        with pytest.raises(InvalidLineError):
            prepare(line)


@pytest.mark.parametrize(
    "content",
    [
        *(nested(MOST_DEPTH), b"[" + nested(MOST_DEPTH) + b"]", b"[" + b"{}," * (MOST_RECORDS - 1) + b"{}]"),
        b'{"data": "' + b"[" * 500 + b'"}',
    ],
)
def test_what_is_as_deep_and_as_many_as_it_may_be_is_sent(content: bytes) -> None:
    assert prepare(lines(content)[0]).content == content


@pytest.mark.parametrize(("content", "count"), [(b"[1, 2]", 2), (b"[]", 1), (b"{}", 1), (b"null", 1)])
def test_a_line_counts_its_records(content: bytes, count: int) -> None:
    assert len(prepare(lines(content)[0]).records) == count


def test_a_line_that_its_stamp_makes_too_long_is_refused() -> None:
    (line,) = lines(b'{"id":"' + b"x" * (MOST - 9) + b'"}')
    assert len(prepare(line).content) == MOST
    with pytest.raises(InvalidLineError, match="more than 1047376 bytes"):
        prepare(line, started=1)


def test_numbers_of_lines_are_a_set() -> None:
    numbers = LineNumbers([1, 8, 1000])
    assert [number for number in range(1100) if number in numbers] == [1, 8, 1000]
    assert (len(numbers), "1" in numbers, 10**6 in numbers) == (3, False, False)
