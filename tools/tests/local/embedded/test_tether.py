"""Child processes that end with their parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.deployed import ROOT


def tethered(code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline.local.embedded.tether", sys.executable, "-c", code]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)


def test_a_tethered_command_passes_its_exit_status_on() -> None:
    with tethered("import sys; sys.exit(7)") as process:
        assert process.wait(30) == 7


def test_a_tethered_command_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    process = tethered(f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)")
    deadline = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) != 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
