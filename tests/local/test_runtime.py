"""The interpreters that the embedded AWS starts for functions, as Lambda's runtime makes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from local.environment import RUNTIME


def interpreter(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code as a function's interpreter does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=inherited | {"PYTHONPATH": str(RUNTIME), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("package", ["boto3", "botocore.auth", "urllib3", "dateutil.tz", "s3transfer", "json"])
def test_a_function_finds_the_sdk_and_the_standard_library(package: str) -> None:
    assert interpreter(f"import {package}", AWS_LAMBDA_FUNCTION_NAME="f").returncode == 0


@pytest.mark.parametrize("package", ["troposphere", "yaml", "cryptography", "awscrt", "samcli"])
def test_a_function_does_not_find_what_else_is_installed(package: str) -> None:
    ended = interpreter(f"import {package}", AWS_LAMBDA_FUNCTION_NAME="f")
    assert f"No module named '{package}'" in ended.stderr


def test_any_other_interpreter_finds_everything() -> None:
    assert interpreter("import yaml").returncode == 0


def test_a_log_line_is_json_with_its_fields() -> None:
    code = "import logging; logging.getLogger('f').info('stored %d', 1, extra={'id': 'r'})"
    line = json.loads(interpreter(code, AWS_LAMBDA_FUNCTION_NAME="f").stderr)
    assert line.pop("timestamp")
    assert line == {"level": "INFO", "message": "stored 1", "logger": "f", "id": "r"}
