import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records.lines import MOST_RECORDS, Line, prepare, read_lines
from pipeline.records.packing import MOST, ONE_REQUEST, Packing


def lines(*sizes: int) -> list[Line]:
    """Lines of so many bytes; less than two make one that is no JSON."""
    content = (b'"' + b"x" * (size - 2) + b'"' if size > 1 else b"{" for size in sizes)
    return list(read_lines(io.BytesIO(b"\n".join(content))))


@given(
    sizes=st.lists(st.sampled_from([1, 2, 100, 30_000, ONE_REQUEST, ONE_REQUEST + 1, MOST + 1]), max_size=12),
    batch=st.sampled_from([None, 1, 2, 5]),
    stop=st.integers(0, 12),
)
def test_wherever_it_is_stopped_each_line_that_was_read_is_in_an_event_or_among_the_rest(
    sizes: list[int], batch: int | None, stop: int
) -> None:
    read: list[Line] = []
    packing = Packing(prepare, batch=batch)
    packed = packing.pack(line for line in lines(*sizes) if not read.append(line))  # type: ignore[func-returns-value]
    given_out = [one for _, one in zip(range(stop), packed, strict=False)]
    found = [line.number for one in (*given_out, *packing.rest()) for line in one.lines]
    assert sorted(found) == [line.number for line in read]


@given(sizes=st.lists(st.integers(2, MOST), max_size=12), batch=st.sampled_from([None, 1, 2, 5]))
def test_an_event_is_no_larger_than_it_may_be_but_for_a_single_record(sizes: list[int], batch: int | None) -> None:
    for one in Packing(prepare, batch=batch).pack(iter(lines(*sizes))):
        assert len(one.lines) == 1 or sum(map(len, one.contents)) <= (MOST if batch else ONE_REQUEST)
        assert len(one.lines) <= (batch or len(sizes))


def test_a_batch_is_an_array_of_the_lines_as_they_stand() -> None:
    source = list(read_lines(io.BytesIO(b'{ "id": "a", "data": 1.10 }\n7\n')))
    (one,) = Packing(prepare).pack(iter(source))
    assert (one.payload, one.records) == (b'[{ "id": "a", "data": 1.10 },7]', 2)
    assert [one.payload for one in Packing(prepare, batch=1).pack(iter(source))] == [line.content for line in source]


def test_what_is_not_ascii_counts_three_times_since_it_may_be_written_so() -> None:
    plain, beyond = b'"' + b"x" * 29_000 + b'"', b'"' + "\N{LATIN SMALL LETTER AE}".encode() * 14_500 + b'"'
    counts = [
        [len(one.lines) for one in Packing(prepare).pack(read_lines(io.BytesIO(b"\n".join([content] * 2))))]
        for content in (plain, beyond)
    ]
    assert counts == [[2], [1, 1]]


def test_one_line_is_an_array_of_one_too() -> None:
    (one,) = Packing(prepare).pack(iter(lines(5)))
    assert json.loads(one.payload) == ["xxx"]


@pytest.mark.parametrize(("rate", "counts"), [(0.5, [1, 1, 1]), (2, [2, 1]), (None, [3])])
def test_no_event_holds_more_than_a_seconds_records(rate: float | None, counts: list[int]) -> None:
    assert [len(one.lines) for one in Packing(prepare, rate=rate).pack(iter(lines(5, 5, 5)))] == counts


@pytest.mark.parametrize(("size", "writes"), [(10, 1), (923, 1), (924, 2), (2048, 3)])
def test_a_record_costs_a_write_for_each_kilobyte_of_its_item(size: int, writes: int) -> None:
    (one,) = Packing(prepare).pack(iter(lines(size)))
    assert one.writes == writes


def test_a_line_that_is_a_batch_goes_alone_as_it_stands() -> None:
    source = read_lines(io.BytesIO(b"1\n[2, 3]\n4\n[]\n"))
    found = {one.payload: one.records for one in Packing(prepare).pack(source)}
    assert found == {b"[1,4]": 2, b"[2, 3]": 2, b"[]": 1}


@pytest.mark.parametrize("batch", [None, 5000])
def test_no_event_holds_more_records_than_a_batch_may(batch: int | None) -> None:
    counts = [one.records for one in Packing(prepare, batch=batch).pack(iter(lines(*[5] * (MOST_RECORDS + 1))))]
    assert counts == [MOST_RECORDS, 1]
