"""The interpreters that the embedded AWS starts for functions, as Lambda's runtime makes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from local.embedded.environment import RUNTIME


def interpreter(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code as a function's interpreter does."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=inherited | {"PYTHONPATH": str(RUNTIME), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


FIND = """
import sys
for name in sys.argv[1:]:
    try:
        __import__(name)
        print(name)
    except ModuleNotFoundError as error:
        assert error.name == name.partition(".")[0]
"""
SDK = ["boto3", "botocore.auth", "urllib3", "dateutil.tz", "s3transfer", "json"]
OTHERS = ["troposphere", "yaml", "cryptography", "awscrt", "samcli"]


def test_a_function_finds_the_sdk_and_nothing_else_that_is_installed() -> None:
    assert interpreter(FIND, *SDK, *OTHERS, AWS_LAMBDA_FUNCTION_NAME="f").stdout.split() == SDK


def test_any_other_interpreter_finds_everything() -> None:
    assert interpreter(FIND, "yaml").stdout.split() == ["yaml"]


def test_a_log_line_is_json_with_its_fields() -> None:
    code = "import logging; logging.getLogger('f').info('stored %d', 1, extra={'id': 'r'})"
    line = json.loads(interpreter(code, AWS_LAMBDA_FUNCTION_NAME="f").stderr)
    assert line.pop("timestamp")
    assert line == {"level": "INFO", "message": "stored 1", "logger": "f", "id": "r"}
