"""The embedded AWS' figures: from its report, and its steps from what it printed, its processes from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.benches.pipeline import figures
from bench.harness.processes import PROC, Process, running, seconds_by_generation

OUTPUT = """build      3.4 s
deploy    11.1 s
submit   ━━━━━━━━ 24/24 0:00:00
24 submitted: 18 stored. 3.6 s, 6.7 records/s.
"""


def test_the_steps_are_read_from_the_output() -> None:
    sample = figures({"records_per_second": 6.7, "seconds": 3.6}, OUTPUT, 20.0)
    assert sample == {
        "records/s": 6.7,
        "build (s)": 3.4,
        "deploy (s)": 11.1,
        "pipeline (s)": 3.6,
        "all (s)": 20.0,
    }


def test_processor_time_is_summed_by_generation() -> None:
    processes = {1: Process(0, 9), 2: Process(1, 1), 3: Process(2, 2), 4: Process(2, 3), 5: Process(3, 4)}
    assert seconds_by_generation(2, processes) == [1, 5, 4]
    assert seconds_by_generation(99, processes) == []


def test_a_process_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (a) (b) S 3 0 0 0 0 0 0 0 0 0 150 50 0 0", encoding="ascii")
    assert running(tmp_path) == {7: Process(3, 200 / os.sysconf("SC_CLK_TCK"))}


@pytest.mark.skipif(not PROC.exists(), reason="no /proc here")
def test_a_child_that_computes_is_seen() -> None:
    code = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        own, children = seconds_by_generation(os.getpid(), running())[:2]
        child.communicate(b"\n")
    assert own > 0
    assert children >= 0.15
