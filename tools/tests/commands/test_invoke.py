"""One handler, one event, in this machine's Python: the command as its user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import ROOT

RECORD = {"id": "order-1", "timestamp": 1, "data": {"total": 5}}


def invoke(*arguments: str, event: object = None, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    text = event if isinstance(event, str) else json.dumps(event)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TABLE_"))}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "invoke", *arguments],
        input=text,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_result_is_on_standard_output_and_the_log_beside_it() -> None:
    ran = invoke("validator", event=RECORD)
    assert (ran.returncode, json.loads(ran.stdout)) == (0, {"valid": True, **RECORD})
    assert "recordId=order-1" in ran.stderr


def test_an_event_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(RECORD))
    assert json.loads(invoke("validator", str(path)).stdout)["id"] == "order-1"


@pytest.mark.parametrize(
    ("event", "request_name"), [(RECORD, "PutItem"), ([RECORD, {**RECORD, "id": "b"}], "BatchExecuteStatement")]
)
def test_requests_to_aws_are_shown_and_not_sent(event: object, request_name: str) -> None:
    ran = invoke("processor", event=event)
    assert (ran.returncode, json.loads(ran.stdout)) == (0, {"statusCode": 200, "body": "Success"})
    assert f"dynamodb {request_name} " in ran.stderr


def test_an_error_is_named_as_lambda_names_it() -> None:
    ran = invoke("validator", event={"id": "a"})
    assert ran.returncode == 1
    document = json.loads(ran.stdout)
    assert document.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert (document["errorType"], document["errorMessage"]) == ("InvalidRecord", "Invalid data: missing data field")
    assert "Traceback" not in ran.stderr


def test_what_a_handler_prints_is_not_taken_for_its_result(tmp_path: Path) -> None:
    for name in ("samconfig.toml", "template.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/talker.py").write_text(
        "def handler(event, context):\n    print('hello')\n    return event\n"
    )
    (tmp_path / "functions/core").mkdir()
    (tmp_path / "functions/core/aws.py").write_text("")
    ran = invoke("talker", event=7, folder=tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "7\n", "hello\n")


@pytest.mark.parametrize(
    ("arguments", "event", "error"),
    [
        (("nope",), {}, "There is no stage 'nope' in "),
        (("validator",), "{", "Standard input must hold one JSON document"),
        (("validator", "none.json"), {}, "none.json can't be read: No such file or directory."),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], event: object, error: str) -> None:
    ran = invoke(*arguments, event=event)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"Error: {error}")
