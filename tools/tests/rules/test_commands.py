"""`cfn-lint` and `sam validate --lint`, as users run them, apply the rules, and exit with an error."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .linting import ROOT, runner

PLAIN = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: pass, MemorySize: 3008}
  Granted:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Action: ['sqs:*'], Resource: 'arn:aws:sqs:us-east-1:123456789012:a'}]
"""


def run(folder: Path, command: str, *options: str) -> str:
    """Run a linter that has to fail, and give what it says."""
    ended = subprocess.run(
        [str(Path(sys.executable).parent / command), *options],
        cwd=folder,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.stdout


def test_cfn_lint_applies_a_copy_of_the_rules_under_any_name_in_another_project(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "tools/pipeline/rules", tmp_path / "our.checks", ignore=shutil.ignore_patterns("__pycache__")
    )
    project = tmp_path / "shop"
    project.mkdir()
    (project / "guardrails.py").write_text("raise RuntimeError('the project has a module of that name too')")
    (project / "template.yaml").write_text(PLAIN)
    text = (ROOT / "tools/pipeline/rules/README.md").read_text()
    (documented,) = re.findall(r"```yaml\n(append_rules:.+?)```", text, re.DOTALL)
    (project / ".cfnlintrc").write_text(documented.replace("../data-processing/tools/pipeline/rules", "../our.checks"))
    output = run(project, "cfn-lint", "--template", "template.yaml")
    for rule in ("W900[12]", "E9141", "W9161", "W9181", "W9322"):
        assert re.search(rule, output)
    assert "Checkout should have tags named Team (got none)\ntemplate.yaml:6:" in output
    assert "W9156" not in output  # accepted


def test_sam_reports_defects_by_a_custom_rule_and_by_one_in_python(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(PLAIN)
    output = run(
        ROOT, "sam", "validate", "--lint", "--region", "us-east-1", "--template", str(tmp_path / "template.yaml")
    )
    assert re.search("W900[12]", output)
    assert "A function should have at most 1024 MB of memory" in output
    assert "E9151" in output
    assert "Granted should allow actions by name (got sqs:*)" in output


def test_the_list_of_rules_says_what_each_is() -> None:
    listed = repr(runner().rules)  # what cfn-lint --list-rules prints
    assert "E9141: A Lambda function has no dead-letter queue\nWithout a dead-letter target" in listed
    assert "W9001: " in listed
