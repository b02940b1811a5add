"""The set-up: what can't be had here becomes a row that says why, and the rest is measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from bench.harness import installed
from bench.harness import setup as module
from bench.harness.setup import Setup, variant


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A set-up on a machine with nothing on PATH."""
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Setup(rounds=1, workspace=workspace, console=Console(quiet=True), advance=lambda _: None)


def test_without_nodejs_its_row_says_so(setup: Setup) -> None:
    row = variant("Node.js", lambda: setup.node("processor"), lambda _: {})
    assert row.measure is None
    assert row.missing.startswith("node, npm")


def test_without_a_cpu_limit_the_row_says_so(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "unlimited_reason", lambda: "no CPU limit here")
    row = variant("ours", lambda: setup.python("empty"), lambda _: {}, cpus=0.29)
    assert row.missing == "no CPU limit here"


def test_a_function_is_packaged_without_byte_code_and_with_its_peers_client(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "lambda_python", lambda _: Path("python"))
    function = setup.python("processor", client="boto3")
    assert "boto3" in (function.folder / "core" / "aws.py").read_text()
    assert (function.folder / "record.py").exists()
    assert not list(function.folder.rglob("*.pyc"))
