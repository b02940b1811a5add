import gzip
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files.lines import MOST, DamagedFile, Line, gunzip, skip, split


def contents(*chunks: bytes) -> list[bytes]:
    return [line.content for line in split(chunks)]


@pytest.mark.parametrize(
    "text",
    [b"one\ntwo\n", b"one\ntwo", b"\xef\xbb\xbfone\ntwo\n", b"one\r\ntwo\r\n", b"\n\none\n \t\n\r\ntwo\n\n"],
    ids=["plain", "no line end at the end", "byte order mark", "CRLF", "blank lines"],
)
def test_lines_are_the_same_however_they_are_written(text: bytes) -> None:
    assert contents(text) == [b"one", b"two"]


def test_a_line_has_its_number_with_the_blank_ones_counted() -> None:
    assert [line.number for line in split([b"\none\n\ntwo"])] == [2, 4]


def test_only_the_beginning_of_a_file_has_a_byte_order_mark() -> None:
    mark = b"\xef\xbb\xbf"
    assert contents(b"one\n" + mark + b"two") == [b"one", mark + b"two"]
    assert [line.content for line in split([mark + b"two"], number=1, end=4)] == [mark + b"two"]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_lines_are_the_same_however_they_come_in(text: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(ends)]
    assert list(split(pieces)) == list(split([text]))


@given(st.lists(st.binary(max_size=8), max_size=8), st.integers(0, 7))
def test_what_follows_a_line_is_read_from_its_end(texts: list[bytes], index: int) -> None:
    text = b"\n".join(texts)
    lines = list(split([text]))
    if index < len(lines):
        number, _, end, _ = lines[index]
        assert list(split(skip([text], end), number=number, end=end)) == lines[index + 1 :]


def test_a_line_over_the_limit_is_named_and_not_held() -> None:
    chunk = b"x" * 100_000
    long, after = split([b"one\n"[:0], *[chunk] * 50, b"\nafter\n"])
    assert long.fault == f"it has more than {MOST} bytes"
    assert len(long.content) < 2.2 * MOST
    assert (after.content, after.number, after.end) == (b"after", 2, 50 * 100_000 + 7)


@pytest.mark.parametrize("size", [100_000, 10_000_000], ids=["small", "large"])
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["no line end", "line end"])
def test_a_line_over_the_limit_is_refused_whatever_stands_where_it_is_cut(size: int, end: bytes) -> None:
    text = b"7" * (MOST - 1) + b" " * 2 * MOST + b"7" + end
    (line,) = split(text[start : start + size] for start in range(0, len(text), size))
    assert (line.fault, line.end) == (f"it has more than {MOST} bytes", len(text))


def test_a_line_at_the_limit_is_taken() -> None:
    (line,) = split([b"x" * MOST + b"\n"])
    assert not line.fault


TEXT = b"".join(b'{"id": "%d"}\n' % number for number in range(2000))


@pytest.mark.parametrize("size", [1, 100, 1_000_000])
def test_a_compressed_file_is_read_in_any_pieces(size: int) -> None:
    packed = gzip.compress(TEXT)
    assert b"".join(gunzip(packed[i : i + size] for i in range(0, len(packed), size))) == TEXT


def test_a_compressed_file_may_be_several_one_after_the_other_and_end_in_zeros() -> None:
    packed = gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(TEXT) + b"\0" * 512
    assert b"".join(gunzip([packed])) == TEXT * 2


def test_what_is_small_and_decompresses_to_much_comes_in_pieces() -> None:
    pieces = [len(piece) for piece in gunzip([gzip.compress(b"\n" * 50_000_000)])]
    assert sum(pieces) == 50_000_000
    assert max(pieces) <= 1024 * 1024


def test_a_compressed_file_that_is_cut_off_is_read_up_to_there() -> None:
    packed = gzip.compress(TEXT, mtime=0)
    *read, last = split(gunzip([packed[: len(packed) // 2]]))
    assert len(read) > 100
    assert not any(line.fault for line in read)
    assert (last.number, last.fault) == (len(read) + 1, "the gzip file ends here, before its end")


def test_a_compressed_file_that_is_damaged_further_on_is_read_up_to_there() -> None:
    *read, last = split(gunzip([gzip.compress(TEXT) + b"no gzip"]))
    assert len(read) == 2000
    assert last.fault.startswith("the gzip file is damaged here (")


@pytest.mark.parametrize("content", [b"no gzip at all", b"\x1f\x8b"])
def test_what_is_no_compressed_file_is_refused_whole(content: bytes) -> None:
    with pytest.raises(DamagedFile):
        list(split(gunzip([content])))


def test_a_line_that_is_damaged_ends_where_the_text_does() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntwo"
        raise DamagedFile("damaged")

    assert list(split(chunks())) == [Line(1, b"one", 4), Line(2, b"two", 7, "damaged")]


def test_bytes_are_left_out_over_several_chunks() -> None:
    assert list(skip([b"abc", b"def", b"ghi"], 4)) == [b"", b"ef", b"ghi"]
