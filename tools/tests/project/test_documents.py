"""The check of the documents: it passes, and finds what is planted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docs import check
from tools.tests.copies import ROOT

GOOD = "# A page\n\nSee [it](#a-page) and `model/stack.py`: `pipeline submit FILE --settle`, `make run ARGS=--items`.\n"


def test_the_documents_have_no_fault() -> None:
    command = [sys.executable, "-m", "docs.check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[it](nowhere.md)", "there is no nowhere.md"),
        ("[it](#elsewhere)", "has no heading for #elsewhere"),
        ("`model/nothing.py`", "there is no model/nothing.py"),
        ("```sh\npipeline sumbit records.jsonl\n```", "pipeline has no command sumbit"),
        ("`pipeline submit FILE --setle`", "pipeline submit has no option --setle"),
        ('`make run ARGS="records.jsonl --bach 9"`', "pipeline run has no option --bach"),
        ("`make rnu`", "make has no target rnu"),
        ("`python generator.py`", "there is no generator.py"),
        ("`python -m bench whi`", "the bench has nothing named whi"),
        ("It costs 0.65 USD.", "no table of RESULTS.md has 0.65 USD"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(GOOD)
    assert (check.main([str(page)]), capsys.readouterr().out) == (0, "")
    page.write_text(f"{GOOD}\n{text}\n")
    assert check.main([str(page)]) == 1
    assert fault in capsys.readouterr().out
