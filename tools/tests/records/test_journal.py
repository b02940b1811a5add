import io
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from pipeline.errors import MisuseError
from pipeline.records.journal import Header, Journal, read_header
from pipeline.records.lines import Line, read_lines

HEADER = Header("arn:validator", "now", 1000)
LINES = list(read_lines(io.BytesIO(b'{"a":1}\n{"a":2}\n{"a":3}\n')))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.jsonl.journal"


def held(path: Path) -> list[Line]:
    with Journal(path, HEADER) as journal:
        return [line for line in LINES if journal.holds(line)]


def accepted(path: Path, *lines: Line) -> None:
    """Note lines in a journal, and close it."""
    with Journal(path, HEADER) as journal:
        for line in lines:
            journal.add([line])


def test_what_was_accepted_is_known_after_a_crash(path: Path) -> None:
    journal = Journal(path, HEADER)
    journal.add([LINES[0]])
    journal.add([LINES[2]])
    content = path.read_bytes()  # all of it, without an orderly end
    journal.__exit__(None, None, None)
    assert path.read_bytes() == content
    assert held(path) == [LINES[0], LINES[2]]


def test_the_stamps_are_counted_from_when_the_submission_began(path: Path) -> None:
    accepted(path, LINES[0])
    with Journal(path, HEADER._replace(started=2000)) as journal:
        assert journal.header.started == 1000


def test_a_line_that_was_cut_off_is_dropped(path: Path) -> None:
    accepted(path, LINES[0], LINES[1])
    path.write_bytes(path.read_bytes()[:-5])
    assert held(path) == [LINES[0]]
    accepted(path, LINES[2])
    assert held(path) == [LINES[0], LINES[2]]


def test_an_input_that_was_edited_is_noticed(path: Path) -> None:
    accepted(path, LINES[0])
    with Journal(path, HEADER) as journal, pytest.raises(MisuseError, match="Line 1 is not the one"):
        journal.holds(LINES[0]._replace(content=b'{"a":4}'))


@pytest.mark.parametrize("change", [{"function": "arn:other"}, {"timestamp": "keep"}])
def test_another_submission_of_the_same_input_is_refused(path: Path, change: dict[str, str]) -> None:
    accepted(path, LINES[0])
    with pytest.raises(MisuseError, match="finish that one"):
        Journal(path, HEADER._replace(**change))


def test_a_submission_that_never_got_anything_accepted_stands_in_nobodys_way(path: Path) -> None:
    accepted(path)
    with Journal(path, HEADER._replace(function="arn:other")) as journal:
        assert journal.header.function == "arn:other"


def test_two_at_a_time_are_refused(path: Path) -> None:
    with Journal(path, HEADER), pytest.raises(MisuseError, match="Another submission"):
        Journal(path, HEADER)


SECOND = b"1 0123456789abcdef\n"
FIRST = b'{"function": "arn:validator", "timestamp": "now", "started": 1000}\n'


@pytest.mark.parametrize(
    "content",
    [
        *(b'{"id": "a"}\n{"id": "b"}\n', b'{"id": "a"}', b"\xff\n", b"[]\n", b"\n"),
        *(FIRST.replace(b"1000", value) + SECOND for value in (b"-1", b"true", b"1e3", b"1" * 30, b'""')),
        FIRST.replace(b'"now"', b'"then"') + SECOND,
        FIRST.replace(b'"arn:validator"', b"7") + SECOND,
        *(FIRST + SECOND.replace(b"1 ", number) for number in (b"0 ", b"1  ", b"-1 ", b"9" * 5000 + b" ", b"")),
        *(FIRST + SECOND.replace(b"abcdef", end) for end in (b"", b"ABCDEF", b"abcdef0")),
    ],
)
def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(MisuseError, match="is not a journal"):
        Journal(path, HEADER)
    assert path.read_bytes() == content


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="--journal"):
        Journal(tmp_path / "none" / "journal", HEADER)


def assert_not_believed(path: Path, reason: str) -> None:
    for look in (lambda: Journal(path, HEADER), lambda: read_header(path)):
        with pytest.raises(MisuseError, match=reason):
            look()


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_journal_that_others_can_write_is_not_believed(path: Path, mode: int) -> None:
    accepted(path, LINES[0])
    path.chmod(mode)
    assert_not_believed(path, "must be writable by you alone")


def test_a_journal_of_another_user_is_not_believed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted(path)
    assert read_header(path) == HEADER
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert_not_believed(path, "must be your own file")


def test_lines_far_apart_take_no_memory_between_them(path: Path) -> None:
    far = LINES[0]._replace(number=10**11)
    with Journal(path, HEADER) as journal:
        journal.add([far, LINES[1]])
    with Journal(path, HEADER) as journal:
        assert [journal.holds(line) for line in (far, *LINES)] == [True, False, True, False]


def test_a_million_accepted_lines_are_resumed_in_few_bytes(path: Path) -> None:
    count = 40_000
    with path.open("w") as file:
        file.write(json.dumps(HEADER._asdict()) + "\n")
        file.writelines(f"{number} {number:016x}\n" for number in range(1, count + 1))
    path.chmod(0o600)
    tracemalloc.start()
    with Journal(path, HEADER) as journal:
        assert journal.header == HEADER
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < count * 12  # 30 MB for a million would be 30 bytes a line
