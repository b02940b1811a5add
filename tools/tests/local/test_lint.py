"""A run checks the template while it is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from pipeline.local.embedded.process import Options
from pipeline.local.errors import LocalError
from pipeline.local.run import Lint, deployed
from tests.deployed import ROOT

TEMPLATE = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      Colour: red\n"


def test_what_cfn_lint_finds_is_said(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / ".cfnlintrc").write_text("templates: [template.yaml]\n")
    with Lint(tmp_path) as lint, pytest.raises(LocalError, match=r"cfn-lint failed:\nE3002 .*Colour"):
        lint.wait()


def test_a_finding_is_said_instead_of_the_deployments_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE + "  broken: [\n")
    (tmp_path / ".cfnlintrc").write_text("templates: [template.yaml]\n")
    (tmp_path / "generate.py").write_bytes((ROOT / "generate.py").read_bytes())
    monkeypatch.setattr("pipeline.project.root", lambda: tmp_path)
    with pytest.raises(LocalError, match=r"cfn-lint failed:\nE0000"), deployed(Options(), Console(), linted=True):
        pass
