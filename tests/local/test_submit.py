"""Reading the input, and submitting it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.submit import LIMIT, SAMPLE, read_lines, submit


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
    (submission,) = submit(client, "f", read_lines(file_of(tmp_path, b"x" * (LIMIT + 1))), lambda: None)
    assert (submission.request_id, submission.refusal) == (None, "a line must have at most 1048576 bytes")
