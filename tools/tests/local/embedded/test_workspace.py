"""The temporary folder of an embedded AWS."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipeline.local.embedded.workspace import YOUNG, Workspace, sweep


def test_a_workspace_of_a_dead_owner_is_swept_and_a_living_ones_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "embedded-aws-dead"
    dead.mkdir()
    (dead / "lock").touch()
    with Workspace() as living:
        sweep()
        assert sorted(tmp_path.iterdir()) == [living.path]
    assert list(tmp_path.iterdir()) == []


def test_what_another_user_made_and_what_a_link_leads_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lock").touch()
    (tmp_path / "embedded-aws-link").symlink_to(tmp_path / "mine")
    others = tmp_path / "embedded-aws-others"
    others.mkdir()
    (others / "lock").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    me = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: me + 1)
    sweep()
    monkeypatch.setattr("os.getuid", lambda: me)
    assert others.exists()
    sweep()
    assert not others.exists()
    assert (tmp_path / "mine" / "lock").exists()


def test_a_workspace_that_is_just_being_made_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    young, old = tmp_path / "embedded-aws-young", tmp_path / "embedded-aws-old"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 2 * YOUNG,) * 2)
    sweep()
    assert list(tmp_path.iterdir()) == [young]
