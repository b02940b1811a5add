"""`cfn-lint` and `sam validate --lint`, as users run them, apply the rules, and exit with an error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .linting import ROOT, runner

pytestmark = pytest.mark.xdist_group("commands")  # each takes seconds to start: on one worker, once

BIN = Path(sys.executable).parent
COMMANDS = {
    "cfn-lint": ["cfn-lint", "--template"],
    "sam": ["sam", "validate", "--lint", "--region", "us-east-1", "--template"],
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with a defect for a custom rule, and one for a rule in Python."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("planted") / "template.yaml"
    planted = text.replace("MemorySize: 768", "MemorySize: 3008").replace("- dynamodb:PutItem", "- dynamodb:*")
    path.write_text(planted, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(planted: Path) -> dict[str, tuple[int, str, str]]:
    """Run both at once, since each takes seconds to start: exit code, output and errors of each."""
    started = {
        name: subprocess.Popen(
            [str(BIN / command), *options, str(planted)],
            cwd=ROOT,
            env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, (command, *options) in COMMANDS.items()
    }
    ended = {name: process.communicate(timeout=240) for name, process in started.items()}
    return {name: (started[name].returncode, *ended[name]) for name in started}


@pytest.mark.parametrize("command", COMMANDS)
def test_planted_defects_are_reported(runs: dict[str, tuple[int, str, str]], command: str) -> None:
    code, output, errors = runs[command]
    assert code != 0
    assert "W9001" in output
    assert "A function should have at most 1024 MB of memory" in output
    assert "E9151" in output
    assert "ProcessorPolicy should allow actions by name (got dynamodb:*)" in output
    assert "Traceback" not in output + errors


def test_a_defect_is_reported_where_it_stands(runs: dict[str, tuple[int, str, str]], planted: Path) -> None:
    _, output, _ = runs["cfn-lint"]
    lines = planted.read_text(encoding="utf-8").splitlines()
    action = lines.index("          - dynamodb:*")  # counted from 0: the line above it, counted from 1
    assert f"E9151 ProcessorPolicy should allow actions by name (got dynamodb:*)\n{planted}:{action}:" in output


def test_the_list_of_rules_says_what_each_is() -> None:
    listed = repr(runner().rules)  # what cfn-lint --list-rules prints
    assert "E9141: A Lambda function has no dead-letter queue\nWithout a dead-letter target" in listed
    assert "W9001: " in listed
