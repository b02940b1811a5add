"""The temporary folder of an embedded AWS."""

import os
import time
from pathlib import Path

import pytest

from pipeline.local.embedded.workspace import YOUNG, Workspace, sweep


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def unlocked(path: Path) -> Path:
    """Make a workspace whose owner is gone."""
    path.mkdir()
    (path / "lock").touch()
    return path


def test_a_workspace_of_a_dead_owner_is_swept_and_a_living_ones_stays(folder: Path) -> None:
    unlocked(folder / "embedded-aws-dead")
    with Workspace() as living:
        sweep()
        assert sorted(folder.iterdir()) == [living.path]
    assert list(folder.iterdir()) == []


def test_what_another_user_made_and_what_a_link_leads_to_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, others = unlocked(folder / "mine"), unlocked(folder / "embedded-aws-others")
    (folder / "embedded-aws-link").symlink_to(mine)
    me = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: me + 1)
    sweep()
    monkeypatch.setattr("os.getuid", lambda: me)
    assert others.exists()
    sweep()
    assert not others.exists()
    assert (mine / "lock").exists()


def test_a_workspace_that_is_just_being_made_is_not_swept(folder: Path) -> None:
    young, old = folder / "embedded-aws-young", folder / "embedded-aws-old"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 2 * YOUNG,) * 2)
    sweep()
    assert list(folder.iterdir()) == [young]
