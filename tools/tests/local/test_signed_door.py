"""The signed HTTP door, by the command that `docs/sending.md` shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deployed import ROOT, DeployedStack

(COMMAND,) = re.findall(
    r"<!-- example: the signed door -->\n```sh\n(.*?)```", (ROOT / "docs/sending.md").read_text(), re.S
)
BATCH = [{"id": name, "timestamp": 1, "data": name} for name in ("a", "b")]


def send(stack: DeployedStack, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "batch.json").write_text(json.dumps(BATCH))
    command = COMMAND.replace("https://lambda.$AWS_REGION.amazonaws.com", "$AWS_ENDPOINT_URL")
    command = command.replace("data-processing-validator-dev", stack.function("validator"))
    environment = {
        "PATH": os.environ["PATH"],
        **stack.aws.environment,
        "CURL_CA_BUNDLE": stack.aws.environment["AWS_CA_BUNDLE"],
        **variables,
    }
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_sends_a_batch(stack: DeployedStack, tmp_path: Path) -> None:
    done = send(stack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    stack.drain()
    assert sorted(item.id for item in stack.items()) == ["a", "b"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_another_secret_is_refused(stack: DeployedStack, tmp_path: Path) -> None:
    done = send(stack, tmp_path, AWS_SECRET_ACCESS_KEY="another")
    assert done.returncode != 0
    assert "signature does not match" in done.stdout
    stack.drain()
    assert stack.items() == []
