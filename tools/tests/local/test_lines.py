"""Reading the input."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.errors import LocalError
from pipeline.local.lines import LIMIT, SAMPLE, Lines


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "records.jsonl"
    path.write_bytes(content)
    return path


def test_lines_are_counted_from_one_and_blank_ones_left_out(tmp_path: Path) -> None:
    lines = Lines(file_of(tmp_path, b'\n {"a": 1} \r\n\n2'))
    assert [(line.number, line.content) for line in lines] == [(2, b'{"a": 1}'), (4, b"2")]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_over_one_megabyte_is_cut_while_it_is_read_and_refused(tmp_path: Path, end: bytes) -> None:
    content = b"1\n" + b"x" * LIMIT + b"\n" + b"y" * (3 * LIMIT) + b"\n" + b"z" * (LIMIT + 1) + end
    one, longest, longer, long = Lines(file_of(tmp_path, content))
    assert (one.problem, longest.problem, len(longest.content)) == ("", "", LIMIT)
    assert [(line.number, line.content) for line in (longer, long)] == [(3, b"y" * SAMPLE), (4, b"z" * SAMPLE)]
    assert longer.problem == long.problem == "a line must have at most 1048576 bytes"


def test_lines_are_read_anew_each_time_packed_or_not(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    path.write_bytes(gzip.compress(b"1\n\n2\n"))
    for lines in (Lines(path), Lines(file_of(tmp_path, b"1\n\n2\n"))):
        assert len(lines) == 2
        assert [line.number for line in lines] == [line.number for line in lines] == [1, 3]


def test_a_pipe_is_read_once_and_its_lines_twice(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"1\n2\n"))
    writer.start()
    lines = Lines(path)
    writer.join()
    assert (len(lines), [line.content for line in lines]) == (2, [b"1", b"2"])


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: packed[:12] + b"\xff" * 20, bytes.upper])
def test_a_packed_file_that_is_broken_is_one_sentence(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "records.jsonl.gz"
    path.write_bytes(spoil(gzip.compress(os.urandom(1000))))
    with pytest.raises(LocalError, match=r"records.jsonl.gz can't be read: \w+"):
        Lines(path)
