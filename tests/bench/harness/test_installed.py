"""What the peers need: installed once, again where that failed or the peer has changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bench.harness import installed
from bench.harness.installed import NotInstalled

CONSOLE = Console(quiet=True)


@pytest.fixture(autouse=True)
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the peers, which a test may change, and install in a folder of the test's own."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    shutil.copytree(installed.PEERS, tmp_path / "peers")
    monkeypatch.setattr(installed, "PEERS", tmp_path / "peers")
    return tmp_path / "peers"


@pytest.fixture
def installations(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note each installation of the CDK instead of making it."""
    made: list[Path] = []
    install: Callable[[Path], None] = made.append
    monkeypatch.setattr(installed, "_install_cdk", install)
    return made


def test_an_installation_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        with pytest.raises(NotInstalled, match="node, npm not found"):
            installed.cdk(CONSOLE)
    assert not (installed.home() / "cdk" / ".ready").exists()


def test_what_is_installed_is_not_installed_again(installations: list[Path]) -> None:
    assert installed.cdk(CONSOLE) == installed.cdk(CONSOLE) == installed.home() / "cdk"
    assert len(installations) == 1


def test_a_peer_that_has_changed_is_installed_again(installations: list[Path], peers: Path) -> None:
    installed.cdk(CONSOLE)
    (peers / "cdk" / "app.js").write_text("// another")
    installed.cdk(CONSOLE)
    assert len(installations) == 2
