"""Ids, errors and sizes of invocations, as Lambda's own runtime has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.local.gaps.invocations import RESPONSE_LIMIT
from tests.deployed import DeployedStack
from tools.tests.local.lambdas import Lab, package

TELL = """
import logging
def handler(event, context):
    logging.getLogger().info("told")
    if event.get("fail"):
        raise KeyError("again")
    return [context.aws_request_id, context.memory_limit_in_mb, context.invoked_function_arn]
"""
ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.fixture
def lab(stack: DeployedStack) -> Lab:
    return Lab(stack)


def error(lab: Lab, code: str, **properties: Any) -> tuple[dict[str, Any], str]:
    """Invoke a function that fails; return its error and the request id."""
    answer = lab.client().invoke(FunctionName=lab.function(code, **properties), Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    return json.loads(answer["Payload"].read()), answer["ResponseMetadata"]["RequestId"]


def test_one_id_is_in_the_answer_the_context_every_log_line_the_record_and_the_dead_letter(lab: Lab) -> None:
    letters, target = lab.queue()
    records, destination = lab.queue()
    name = lab.function(TELL, "sqs:SendMessage", DeadLetterConfig={"TargetArn": target})
    lab.client().put_function_event_invoke_config(
        FunctionName=name,
        DestinationConfig={"OnSuccess": {"Destination": destination}, "OnFailure": {"Destination": destination}},
    )
    failing = lab.send(name, {"fail": True})
    (letter,) = lab.messages(letters)
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == failing
    lines = lab.logged(name)
    for kind in ("START", "END", "REPORT"):
        assert sum(f"{kind} RequestId: {failing}" in line for line in lines) == 3, kind
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert {line["requestId"] for line in told} == {failing}
    assert [line["message"] for line in told if "message" in line] == ["told"] * 3
    assert [line["errorType"] for line in told if "errorType" in line] == ["KeyError"] * 3

    succeeding = lab.send(name)
    failed, succeeded = sorted(lab.bodies(records), key=lambda record: str(record["requestContext"]["condition"]))
    assert failed["requestContext"]["requestId"] == failed["responsePayload"]["requestId"] == failing
    assert succeeded["requestContext"]["requestId"] == succeeded["responsePayload"][0] == succeeding


def test_a_synchronous_answer_has_the_id_too_and_memory_is_text(lab: Lab) -> None:
    answer = lab.client().invoke(FunctionName=lab.function(TELL, MemorySize=192), Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert told[:2] == [answer["ResponseMetadata"]["RequestId"], "192"]


def test_an_exception_keeps_its_type_and_has_its_trace(lab: Lab) -> None:
    code = "class Bad(Exception): ...\ndef deep(): raise Bad('worse')\ndef handler(event, context):\n    deep()\n"
    document, request_id = error(lab, code)
    trace = document.pop("stackTrace")
    assert document == {"errorMessage": "worse", "errorType": "Bad", "requestId": request_id}
    assert ["deep()" in trace[0], "raise Bad('worse')" in trace[1], len(trace)] == [True, True, 2]


@pytest.mark.parametrize(("failure", "calls"), [("raise KeyError", 3), ("import sys; sys.exit()", 1)])
def test_a_handler_finds_what_it_left_before_an_error_but_not_before_it_exited(
    lab: Lab, failure: str, calls: int
) -> None:
    code = f"calls = []\ndef handler(event, context):\n calls.append(0)\n if event: {failure}\n return len(calls)\n"
    name = lab.function(code)
    answers = [lab.client().invoke(FunctionName=name, Payload=json.dumps(fails)) for fails in (True, True, False)]
    assert json.loads(answers[-1]["Payload"].read()) == calls


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import sys\ndef handler(e, c): sys.exit(3)", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("import sys\ndef handler(e, c): sys.exit()", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("import os\ndef handler(e, c): os._exit(0)", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("import time\ndef handler(e, c): time.sleep(9)", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ],
    ids=["exit 3", "exit", "os exit", "timeout"],
)
def test_what_ends_the_sandbox_has_no_id_and_no_trace_of_its_own(lab: Lab, code: str, kind: str, message: str) -> None:
    document, request_id = error(lab, code, Timeout=1)
    assert document == {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import nosuch", "Runtime.ImportModuleError", "Unable to import module 'f': No module named 'nosuch'"),
        ("def (", "Runtime.UserCodeSyntaxError", "Syntax error in module 'f': invalid syntax (f.py, line 1)"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'f'"),
        ("raise OSError('early')", "OSError", "early"),
        ("def handler(e, c): return {1}", "Runtime.MarshalError",
         "Unable to marshal response: Object of type set is not JSON serializable"),
    ],
    ids=["import", "syntax", "handler", "module", "result"],
)  # fmt: skip
def test_what_keeps_a_handler_from_answering_has_a_type_of_its_own(
    lab: Lab, code: str, kind: str, message: str
) -> None:
    document, request_id = error(lab, code)
    document.pop("stackTrace", None)
    assert document == {"errorMessage": message, "errorType": kind, "requestId": request_id}


@pytest.mark.parametrize("size", [RESPONSE_LIMIT - 2, RESPONSE_LIMIT - 1])
def test_a_response_over_six_megabytes_is_an_error(lab: Lab, size: int) -> None:
    answer = lab.client().invoke(FunctionName=lab.function(f"def handler(e, c): return 'x' * {size}"), Payload=b"{}")
    document = json.loads(answer["Payload"].read())
    if size + 2 <= RESPONSE_LIMIT:
        assert document == "x" * size
    else:
        assert answer["FunctionError"] == "Unhandled"
        assert document["errorType"] == "Function.ResponseSizeTooLarge"


def test_ministack_alone_still_numbers_attempts_and_errors_in_its_own_way(bare: Callable[..., Any]) -> None:
    """When this fails, look what of `local/gaps/invocations.py` and of the runtime MiniStack does by itself."""
    client = bare("lambda")
    bare("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    ))  # fmt: skip
    client.create_function(FunctionName="attempts", Runtime="python3.13", Handler="f.handler", Role=ROLE,
                           Code={"ZipFile": package("def handler(e, c):\n  if e: raise ValueError(1)\n"
                                                    "  return [c.aws_request_id, c.memory_limit_in_mb]")})  # fmt: skip
    answer = client.invoke(FunctionName="attempts", Payload=b"0")
    request_id, memory = json.loads(answer["Payload"].read())
    assert request_id != answer["ResponseMetadata"]["RequestId"]
    assert memory == 128
    failed = json.loads(client.invoke(FunctionName="attempts", Payload=b"1")["Payload"].read())
    assert failed == {"errorMessage": "1", "errorType": "Runtime.HandlerError"}
