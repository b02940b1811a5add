import os
from pathlib import Path

import pytest

from pipeline.errors import MisuseError
from pipeline.records.files import NewFile, open_private


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
