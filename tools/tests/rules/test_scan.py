"""What `make scan` gives to the scanner, and what it is told to leave out."""

import json
import re

from .deployed import deployed
from .linting import ROOT

SKIPPED = (ROOT / ".checkov.yaml").read_text(encoding="utf-8").partition("skip-check:\n")[2].splitlines()


def test_every_suppression_has_its_reason() -> None:
    checks = [line for line in SKIPPED if not line.lstrip().startswith("#")]
    assert len(checks) == 7
    for line in checks:
        assert re.fullmatch(r"  - CKV_AWS_\d+ # [a-z].{4,}", line), line


def test_what_prod_deploys_is_decided_and_translated() -> None:
    template = deployed("prod")
    text = json.dumps(template)
    assert "Fn::If" not in text
    assert "AWS::Serverless::" not in text
    assert template["Resources"]["DataTable"]["Properties"]["DeletionProtectionEnabled"] is True
    assert "ProcessorFunctionDeploymentGroup" in template["Resources"]


def test_the_scanner_is_pinned_with_its_hashes() -> None:
    wanted = [line for line in (ROOT / "requirements-scan.in").read_text().splitlines() if not line.startswith("#")]
    locked = (ROOT / "requirements-scan.txt").read_text()
    assert wanted
    assert all(f"{pin} \\\n    --hash=sha256:" in locked for pin in wanted)
