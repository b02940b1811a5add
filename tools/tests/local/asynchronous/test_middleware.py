"""Asynchronous invocation from outside: by functions of one's own, to targets that go, with every name that counts."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import WAITING, Lab, wait_for

CALL = """
import boto3, json, os
client = boto3.client("lambda")
def handler(event, context):
    target = event.get("target") or context.function_name
    payload = json.dumps({"from": context.function_name})
    answer = client.invoke(FunctionName=target, InvocationType="Event", Payload=payload)
    return answer["StatusCode"]
"""


@pytest.fixture
def lab(stack: DeployedStack) -> Lab:
    return Lab(stack)


def test_a_function_invokes_another_by_the_sdk_with_its_role(lab: Lab) -> None:
    url, arn = lab.queue()
    receiver = lab.function("def handler(e, c): return e", "sqs:SendMessage")
    lab.client().put_function_event_invoke_config(
        FunctionName=receiver, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    caller = lab.function(CALL, "lambda:InvokeFunction")
    lab.send(caller, {"target": receiver})
    (record,) = lab.bodies(url)
    assert record["responsePayload"] == {"from": caller}


def test_a_function_without_the_right_does_not(lab: Lab) -> None:
    caller = lab.function(CALL)
    answer = lab.client().invoke(FunctionName=caller, Payload=json.dumps({"target": lab.function()}))
    error = json.loads(answer["Payload"].read())
    assert error["errorType"] == "ClientError"
    assert "is not authorized to perform: lambda:InvokeFunction" in error["errorMessage"]


def test_a_function_that_invokes_itself_ends_in_the_dead_letters_after_sixteen_runs(lab: Lab) -> None:
    url, arn = lab.queue()
    name = lab.function(CALL, "lambda:InvokeFunction", "sqs:SendMessage", DeadLetterConfig={"TargetArn": arn})
    lab.send(name)
    (letter,) = lab.messages(url)
    assert "recursive loop" in letter["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert lab.stack.aws.queue_state()["functions"][name]["SUCCESS"] == 16


@pytest.mark.parametrize("qualifier", ["live", "$LATEST"])
def test_a_target_deleted_while_an_event_waits_leaves_a_record_and_a_dead_letter(
    lab: Lab, tmp_path: Path, qualifier: str
) -> None:
    (letters, target), (records, destination) = lab.queue(), lab.queue()
    name = lab.published(WAITING, "sqs:SendMessage", DeadLetterConfig={"TargetArn": target})
    client, which = lab.client(), {"FunctionName": name, "Qualifier": qualifier}
    client.put_function_event_invoke_config(**which, DestinationConfig={"OnFailure": {"Destination": destination}})
    for number in range(2):
        lab.send(f"{name}:{qualifier}", {"folder": str(tmp_path), "number": number})
    wait_for((tmp_path / "began").exists)
    if qualifier == "live":
        client.delete_alias(FunctionName=name, Name="live")
    else:
        client.delete_function(FunctionName=name)
    (tmp_path / "go").touch()
    assert gone(lab, letters, records, f"{name}:{qualifier}") in (1, 2)


def gone(lab: Lab, letters: str, records: str, function: str) -> int:
    """Look at what events whose target is gone have left; return their number."""
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    found = [message["MessageAttributes"] for message in lab.messages(letters)]
    for attributes in found:
        assert attributes["ErrorCode"]["StringValue"] == "404"
        assert attributes["ErrorMessage"]["StringValue"] == f"Function not found: {arn}"
    bodies = lab.bodies(records)
    for record in bodies:
        assert record["requestContext"]["functionArn"] == arn
        assert record["responseContext"] == {"statusCode": 404}
    # The first event may have been running, and failed with the function; the second never ran.
    assert 1 in [record["requestContext"]["approximateInvokeCount"] for record in bodies]
    assert len(bodies) == len(found)
    return len(found)


@pytest.mark.parametrize("kind", ["Event", "RequestResponse"])
def test_latest_together_with_another_qualifier_is_refused(lab: Lab, kind: str) -> None:
    name = lab.published()
    with pytest.raises(ClientError) as refused:
        lab.client().invoke(FunctionName=f"{name}:$LATEST", Qualifier="live", InvocationType=kind)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The derived qualifier from the function name does not match the specified qualifier.",
    }


def test_what_is_no_name_is_a_validation_error(lab: Lab) -> None:
    with pytest.raises(ClientError, match="Value 'a b' at 'functionName' failed to satisfy constraint") as refused:
        lab.client().invoke(FunctionName="a b")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_what_is_not_there_is_named_by_its_arn(lab: Lab) -> None:
    for name in ("nosuch", f"{lab.function()}:nosuch"):
        with pytest.raises(ClientError) as refused:
            lab.client().invoke(FunctionName=name, InvocationType="Event")
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
        assert refused.value.response["Error"]["Message"] == f"Function not found: {arn}"


@pytest.mark.parametrize("qualifier", ["", ":live"])
def test_events_have_lambdas_metrics_by_function_and_by_resource(lab: Lab, qualifier: str) -> None:
    name = lab.published()
    lab.send(name + qualifier)
    lab.stack.drain()
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource", "Value": name + qualifier}]
    assert statistics(lab, "AsyncEventsReceived", dimensions)["Sum"] == 1
    dropped = statistics(lab, "AsyncEventsDropped", dimensions)
    assert (dropped["Sum"], dropped["SampleCount"]) == (0, 1)
    assert statistics(lab, "AsyncEventAge", dimensions)["SampleCount"] == 1
    assert statistics(lab, "AsyncEventsReceived", dimensions[:1])["Sum"] == 1


def statistics(lab: Lab, metric: str, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    """Wait for a metric, and return its statistics."""
    deadline = time.monotonic() + 20
    while True:
        now = time.time()
        points = lab.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=dimensions, StartTime=now - 3600, EndTime=now + 60,
            Period=7200, Statistics=["Sum", "SampleCount"])["Datapoints"]  # fmt: skip
        if points:
            return dict(points[0])
        assert time.monotonic() < deadline, f"no {metric} of {dimensions}"
        time.sleep(0.2)
