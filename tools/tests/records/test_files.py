import os
from pathlib import Path

import pytest

from pipeline.errors import MisuseError
from pipeline.records.files import NewFile, open_private, require_own


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def test_a_file_appears_when_it_is_finished_and_is_nobody_elses(path: Path) -> None:
    with NewFile(path, option="--out") as file:
        file.write(b"a\n")
        assert not path.exists()
        assert path.with_name("lines.part").stat().st_mode & 0o777 == 0o600
        file.finish()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"a\n", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_left_of_a_file_that_is_not_finished_or_has_no_lines(path: Path) -> None:
    with NewFile(path, option="--out") as file:
        file.write(b"a\n")
    with NewFile(path, option="--out") as file:
        file.finish()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_there_is_never_replaced(path: Path, make: object) -> None:
    make(path)  # type: ignore[operator]
    with pytest.raises(MisuseError, match="--out"):
        NewFile(path, option="--out")


def test_a_link_in_the_place_of_the_unfinished_file_is_removed_and_not_followed(path: Path) -> None:
    precious = path.with_name("precious")
    precious.write_text("precious")
    path.with_name("lines.part").symlink_to(precious)
    with NewFile(path, option="--out") as file:
        file.write(b"a\n")
        file.finish()
    assert (path.read_bytes(), precious.read_text()) == (b"a\n", "precious")


def test_a_folder_that_can_not_be_written_is_told(path: Path) -> None:
    with NewFile(path / "none", option="--out") as file, pytest.raises(MisuseError, match=r"can't be written.*--out"):
        file.write(b"a\n")


def test_a_private_file_is_not_opened_through_a_link(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    with pytest.raises(OSError, match="symbolic links"):
        open_private(path, os.O_WRONLY | os.O_CREAT)
    assert not path.with_name("other").exists()


def test_a_line_behind_one_whose_end_was_not_written_is_a_line_of_its_own(path: Path) -> None:
    with NewFile(path, option="--out") as file:
        for part in (b"too long, ", b"in parts"):
            file.write(part)
        file.write_line(b"a")
        file.write_line(b"b")
        file.write(b"too long\n")
        file.write_line(b"c")
        file.finish()
    assert path.read_bytes() == b"too long, in parts\na\nb\ntoo long\nc\n"


def test_a_file_that_somebody_else_may_have_written_is_refused(path: Path) -> None:
    require_own(path)  # there is none
    path.write_text("planted")
    require_own(path)
    path.chmod(0o666)
    for look in (require_own, lambda one: open_private(one, os.O_RDONLY)):
        with pytest.raises(MisuseError, match="if you trust it, chmod go-w it"):
            look(path)
