"""`cfn-lint` and `sam validate --lint`, as users run them, apply the rules, and exit with an error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.generated.render import render
from tests.own.pipeline import build

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
    text = render(build())
    path = tmp_path_factory.mktemp("planted") / "template.yaml"
    planted = text.replace("MemorySize: 768", "MemorySize: 3008").replace("- dynamodb:PutItem", "- dynamodb:*")
    path.write_text(planted, encoding="utf-8")
    return path


Runs = dict[str, tuple[int, str, str]]


def run_both(template: Path, folder: Path) -> Runs:
    """Run both at once, since each takes seconds to start: exit code, output and errors of each."""
    started = {
        name: subprocess.Popen(
            [str(BIN / command), *options, str(template)],
            cwd=folder,
            env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHONPATH": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, (command, *options) in COMMANDS.items()
    }
    ended = {name: process.communicate(timeout=240) for name, process in started.items()}
    return {name: (started[name].returncode, *ended[name]) for name in started}


@pytest.fixture(scope="module")
def runs(planted: Path) -> Runs:
    return run_both(planted, ROOT)


PLAIN = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: pass, MemorySize: 3008}
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Lint another project by the rules of this one, copied beside it under a name that no module can have."""
    root = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(ROOT / "tools/pipeline/rules", root / "our.checks", ignore=shutil.ignore_patterns("__pycache__"))
    project = root / "shop"
    project.mkdir()
    (project / "guardrails.py").write_text("raise RuntimeError('the project has a module of that name too')")
    (project / "template.yaml").write_text(PLAIN)
    text = (ROOT / "tools/pipeline/rules/README.md").read_text()
    (documented,) = re.findall(r"```yaml\n(append_rules:.+?)```", text, re.DOTALL)
    (project / ".cfnlintrc").write_text(documented.replace("../data-processing/tools/pipeline/rules", "../our.checks"))
    return run_both(Path("template.yaml"), project)


@pytest.mark.parametrize("command", COMMANDS)
def test_another_project_is_linted_by_a_copy_of_the_rules_under_any_name(elsewhere: Runs, command: str) -> None:
    code, output, errors = elsewhere[command]
    assert code != 0
    assert "Traceback" not in output + errors
    for rule in ("W900[12]", "E9141", "W9161", "W9181", "W9322"):
        assert re.search(rule, output)
    assert "Checkout should have tags named Team (got none)" in output
    assert "W9156" not in output  # accepted


@pytest.mark.parametrize("command", COMMANDS)
def test_planted_defects_are_reported(runs: Runs, command: str) -> None:
    code, output, errors = runs[command]
    assert code != 0
    assert re.search("W900[12]", output)
    assert "A function should have at most 1024 MB of memory" in output
    assert "E9151" in output
    assert "ProcessorPolicy should allow actions by name (got dynamodb:*)" in output
    assert "Traceback" not in output + errors


def test_a_defect_is_reported_where_it_stands(runs: Runs, planted: Path) -> None:
    _, output, _ = runs["cfn-lint"]
    lines = planted.read_text(encoding="utf-8").splitlines()
    action = lines.index("          - dynamodb:*")  # counted from 0: the line above it, counted from 1
    assert f"E9151 ProcessorPolicy should allow actions by name (got dynamodb:*)\n{planted}:{action}:" in output


def test_the_list_of_rules_says_what_each_is() -> None:
    listed = repr(runner().rules)  # what cfn-lint --list-rules prints
    assert "E9141: A Lambda function has no dead-letter queue\nWithout a dead-letter target" in listed
    assert "W9001: " in listed
