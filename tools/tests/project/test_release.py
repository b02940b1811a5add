"""The release workflow: its steps, run here with a tag, up to the one that makes the release."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml

from pipeline import __version__
from tools.tests.copies import ROOT

STEPS = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["release"]["steps"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def run(folder: Path, step: str, tag: str) -> subprocess.CompletedProcess[str]:
    (script,) = [one["run"] for one in STEPS if one["name"].startswith(step)]
    environment = {**os.environ, "GITHUB_REF_NAME": tag}
    return subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_only_the_tag_of_the_version_is_released(project: Path) -> None:
    assert run(project, "Check that", f"v{__version__}").returncode == 0
    refused = run(project, "Check that", "v0.9.9")
    assert (refused.returncode, f"must be v{__version__}" in refused.stdout) == (1, True)


def test_the_package_has_the_version_and_the_rules(project: Path) -> None:
    built = run(project, "Build", f"v{__version__}")
    assert built.returncode == 0, built.stderr
    (wheel,) = (project / "dist").glob("*.whl")
    assert f"-{__version__}-" in wheel.name
    assert {"pipeline/main.py", "pipeline/rules/custom_rules.txt"} <= set(zipfile.ZipFile(wheel).namelist())


def test_the_notes_are_the_changelogs_of_that_version_alone(project: Path) -> None:
    changelog = project / "CHANGELOG.md"
    assert f"## [{__version__}]" in changelog.read_text()
    changelog.write_text(changelog.read_text() + "\n## [0.9.0]\n\n- An older one.\n")
    assert run(project, "Take", f"v{__version__}").returncode == 0
    notes = (project / "dist/notes.md").read_text()
    assert notes.count("\n- ") > 5
    assert "An older one" not in notes
    assert run(project, "Take", "v7.0.0").returncode == 1
