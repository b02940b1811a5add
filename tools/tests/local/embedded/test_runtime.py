"""The interpreters that the embedded AWS starts for functions, as Lambda's runtime makes them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from pipeline.local.embedded.environment import RUNTIME

FUNCTIONS = Path(__file__).parents[4] / "functions"


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


BOTH = """
import logging, os, sys
sys.path.insert(0, sys.argv[1])
from core import stage
from record import parse
record = parse({"id": "é", "timestamp": 1, "data": 2})
stage.log("record stored", record, None)
stage._LOGS_JSON = False
stage.log("record stored", record, None)
"""


def test_the_line_of_a_record_is_the_one_that_the_runtime_would_write() -> None:
    done = interpreter(BOTH, str(FUNCTIONS), AWS_LAMBDA_FUNCTION_NAME="f")
    ours, runtimes = json.loads(done.stdout), json.loads(done.stderr)
    assert ours.pop("requestId") == ""  # there is no request
    assert re.sub(r"\d", "0", ours.pop("timestamp")) == re.sub(r"\d", "0", runtimes.pop("timestamp"))
    assert ours == runtimes
