"""The worked example of docs/extending.md: a fourth stage, by one file and one call."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.tests.copies import ROOT, copy_project

from . import changes


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_project(tmp_path_factory.mktemp("extended"))
    return changes.make(copy, [changes.put_a_stage_in])


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_template_has_all_that_belongs_to_the_stage(extended: Path) -> None:
    assert run(extended, "generate.py").returncode == 0
    text = (extended / "template.yaml").read_text()
    for resource in (
        *("AuditorLogGroup", "AuditorPolicy", "AuditorRole", "AuditorFunction"),
        *("AuditorFailuresFilter", "AuditorFailuresAlarm", "AuditorThrottlesAlarm", "AuditorDurationAlarm"),
        *("AuditorEventAgeAlarm", "AuditorLostLettersAlarm", "AuditorLostResultsAlarm"),
    ):
        assert f"\n  {resource}:\n" in text, resource
    assert "\n  AuditorFunctionArn:\n" in text
    assert text.count("${AuditorFunction}:live") > 5, "the dashboard shows it"


def test_the_picture_has_the_stage_between_its_neighbours(extended: Path) -> None:
    picture = run(extended, "generate.py", "--diagram", "--output", "-").stdout
    assert "EnricherFunction -->|on success| AuditorFunction\n" in picture
    assert "AuditorFunction -->|on success| ProcessorFunction\n" in picture
    assert "EnricherFunction -->|on success| ProcessorFunction\n" not in picture


def test_the_example_is_an_addition_and_nothing_else() -> None:
    assert not (ROOT / "functions/auditor.py").exists()
