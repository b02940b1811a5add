import time
from pathlib import Path

import pytest

from pipeline.letters.history import KEPT, History, default_path

from ..stack.samples import QUEUE_ARN


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "redriven"


def test_a_letter_that_comes_back_is_told_from_a_new_one(path: Path) -> None:
    with History(path, writing=True) as history:
        history.add(["first"], "second")
    with History(path) as history:
        assert history.times(["first"]) == 0
        assert history.times(["second"]) == 1
        assert history.times(["other"]) == 0


def test_one_that_failed_at_a_later_stage_is_known_by_its_envelopes(path: Path) -> None:
    with History(path, writing=True) as history:
        history.add(["first"], "second")
        assert history.times(["third", "second"]) == 1
        assert history.times([]) == 0


def test_each_time_counts(path: Path) -> None:
    for before, after in (("a", "b"), ("b", "c"), ("c", "d")):
        with History(path, writing=True) as history:
            history.add([before], after)
    with History(path) as history:
        assert history.times(["d"]) == 3


def test_only_what_this_run_sent_came_back_within_it(path: Path) -> None:
    with History(path, writing=True) as history:
        history.add(["first"], "second")
        assert history.came_back(["second"])
        assert not history.came_back(["first"])
    with History(path) as history:
        assert not history.came_back(["second"])


def test_looking_writes_nothing(path: Path) -> None:
    with History(path) as history:
        assert history.times(["first"]) == 0
    assert not path.exists()


def test_what_no_letter_can_name_any_more_is_forgotten(path: Path) -> None:
    path.parent.mkdir()
    old, young = int(time.time()) - KEPT - 1, int(time.time()) - KEPT + 100
    path.write_text(f"{old} old 1\n{young} young 2\nnonsense\n{young} cut\n")
    with History(path, writing=True) as history:
        assert history.times(["young"]) == 2
        history.add(["first"], "new")
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["young", "new"]


@pytest.mark.parametrize(
    "content", ["{}\n", "# notes\n1 id 1\n", "1 id\n", "\u0661 id 1\n", "9" * 5000 + " id 1\n", "\n"]
)
def test_another_file_is_not_believed_and_stays_as_it_is(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    for writing in (False, True):
        with History(path, writing=writing) as history:
            assert "not a history" in history.problem
            history.add(["first"], "second")
            assert history.came_back(["second"])
    assert path.read_text() == content


def test_nothing_is_written_through_a_link(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.with_name("other"))
    with History(path, writing=True) as history:
        assert "can't be used" in history.problem
    assert not path.with_name("other").exists()


def test_two_redrives_at_a_time_lose_nothing_of_each_other(path: Path) -> None:
    with History(path, writing=True) as one, History(path, writing=True) as other:
        one.add(["first"], "a")
        other.add(["other"], "b")
    with History(path) as history:
        assert history.times(["a"]) == history.times(["b"]) == 1


def test_where_nothing_can_be_written_redriving_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with History(blocked / "redriven", writing=True) as history:
        assert "can't be used" in history.problem
        history.add(["first"], "second")
        assert history.came_back(["second"])


def test_each_queue_has_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_path(QUEUE_ARN) == tmp_path / "pipeline" / "redriven-123456789012-us-east-1-letters"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_path(QUEUE_ARN).is_relative_to(Path.home() / ".local" / "state")
