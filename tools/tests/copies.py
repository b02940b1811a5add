"""Copies of the project for tests to change."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv*", ".git", ".aws-sam", ".*_cache", "__pycache__", ".hypothesis", ".bench")


def copy_project(folder: Path) -> Path:
    """Copy the project into a folder, and return the copy."""
    return shutil.copytree(ROOT, folder / "project", ignore=LEFT_OUT)
