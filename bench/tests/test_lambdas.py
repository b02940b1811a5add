"""Functions as processes: called over the runtime API, their log read in parts, a failure told with its log."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.runtime_api import FunctionFailed

RUNTIME = """
import http.client, json, os, sys
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = json.loads(api.getresponse().read())
    print("got", event, flush=True)
    kind = "error" if event == "fail" else "response"
    api.request("POST", f"/2018-06-01/runtime/invocation/1/{kind}", json.dumps([event]))
    api.getresponse().read()
"""


def function(folder: Path, event: object) -> MeasuredFunction:
    (folder / "runtime.py").write_text(RUNTIME)
    command = (sys.executable, str(folder / "runtime.py"))
    return MeasuredFunction("echo", command, folder, event, timeout=10)


def test_the_log_is_what_was_written_since_it_was_read_last(tmp_path: Path) -> None:
    echo = function(tmp_path, 1)
    with started(echo, tmp_path) as lambda_:
        lambda_.invoke(echo)
        assert lambda_.logged() == b"got 1\n"
        lambda_.invoke(echo)
        lambda_.invoke(echo)
        assert lambda_.logged() == b"got 1\n" * 2


def test_the_last_answer_is_kept(tmp_path: Path) -> None:
    echo = function(tmp_path, {"id": "a"})
    with started(echo, tmp_path) as lambda_:
        lambda_.invoke(echo)
        assert lambda_.api.answer == b'[{"id": "a"}]'


def test_a_function_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    echo = function(tmp_path, "fail")
    with pytest.raises(FunctionFailed, match=r"echo: .*\ngot fail"), started(echo, tmp_path) as lambda_:
        lambda_.invoke(echo)
