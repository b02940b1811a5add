"""CPU limits: Lambda's share for a size, in control groups of both versions, and the reason where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.harness.cpu import limited, share_of, unlimited_reason


def test_a_function_of_512_mb_gets_029_of_a_cpu() -> None:
    assert share_of(512) == pytest.approx(0.289, abs=0.001)


def test_without_control_groups_the_reason_is_said(tmp_path: Path) -> None:
    assert "control group" in unlimited_reason(tmp_path)


def test_without_control_groups_a_command_runs_unlimited(tmp_path: Path) -> None:
    with limited(0.5, tmp_path) as prefix:
        assert prefix == ["/bin/sh", "-c", 'exec "$@"', "sh"]


def test_without_a_limit_no_group_is_made(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").touch()
    with limited(None, tmp_path) as prefix:
        assert prefix == ["/bin/sh", "-c", 'exec "$@"', "sh"]
    assert len(list((tmp_path / "cpu").iterdir())) == 1


def test_the_second_version_needs_the_cpu_controller(tmp_path: Path) -> None:
    controllers = tmp_path / "cgroup.subtree_control"
    controllers.write_text("memory pids\n")
    assert unlimited_reason(tmp_path)
    controllers.write_text("cpu memory\n")
    assert not unlimited_reason(tmp_path)
