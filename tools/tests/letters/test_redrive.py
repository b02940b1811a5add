"""Ten thousand dead letters."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deployed import ROOT


def redrive(count: int) -> dict[str, Any]:
    """Redrive so many letters of 4 KB in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("scale.py")), str(count)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return redrive(10_000)


def test_every_letter_is_sent_and_deleted_or_there_again(found: dict[str, Any]) -> None:
    assert (found["sent"], found["accepted"], found["deleted"], found["available"]) == (8000, 8000, 8000, 2000)


def test_the_rate_is_held_within_a_tenth(found: dict[str, Any]) -> None:
    assert found["sent"] / found["seconds"] == pytest.approx(200, rel=0.1)


def test_memory_is_bounded(found: dict[str, Any]) -> None:
    letters = 9_000 * 4_000 / 1024**2
    assert found["megabytes"] - redrive(1_000)["megabytes"] < letters / 3
