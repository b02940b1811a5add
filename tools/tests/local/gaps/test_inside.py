"""What is mended inside MiniStack: IAM's actions, reserved concurrency, and what CloudFormation makes."""

from __future__ import annotations

import contextlib
import inspect
import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from pipeline.local.embedded.ministack import ministack
from pipeline.local.gaps import inside
from tests.deployed import DeployedStack
from tools.tests.local.lambdas import ECHO, TRUST, WAITING, Lab, allow, package, policy, user, wait_for

DENIED = "The provided execution role does not have permissions to call SendMessage on SQS"


@pytest.fixture
def lab(stack: DeployedStack) -> Iterator[Lab]:
    yield Lab(stack)
    client = stack.client("lambda")
    for one in client.list_functions()["Functions"]:  # what they reserve is missing to others
        client.delete_function_concurrency(FunctionName=one["FunctionName"])


# IAM


def test_a_batch_of_messages_needs_the_right_to_send_one(lab: Lab) -> None:
    (url, arn), (other, _) = lab.queue(), lab.queue()
    entries = [{"Id": "1", "MessageBody": "b"}]
    client = lab.client_of_role("sqs", allow("sqs:SendMessage", arn))
    assert client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    with pytest.raises(ClientError, match="not authorized to perform: sqs:SendMessage"):
        client.send_message_batch(QueueUrl=other, Entries=entries)
    with pytest.raises(ClientError, match="not authorized to perform: sqs:SendMessage"):
        lab.client_of_role("sqs", allow("sqs:SendMessageBatch", arn)).send_message_batch(QueueUrl=url, Entries=entries)


def test_what_the_policy_of_a_queue_denies_holds_for_a_batch(lab: Lab) -> None:
    url, arn = lab.queue()
    deny = {**allow("sqs:SendMessage", arn, "Deny"), "Principal": "*"}
    lab.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(deny)})
    with pytest.raises(ClientError, match="explicit deny"):
        lab.client_of_role("sqs", allow("sqs:*", "*")).send_message_batch(
            QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "b"}]
        )


# Aliases


def test_an_alias_needs_a_version_that_is_there(lab: Lab) -> None:
    name, client = lab.published(), lab.client()
    named = {"FunctionName": name, "Name": "live"}
    with pytest.raises(ClientError, match=f"Function not found: .*:{name}:7$") as refused:
        client.update_alias(**named, FunctionVersion="7")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError, match=r":7$"):
        client.update_alias(**named, RoutingConfig={"AdditionalVersionWeights": {"7": 0.5}})
    with pytest.raises(ClientError, match=r":7$"):
        client.create_alias(FunctionName=name, Name="other", FunctionVersion="7")
    assert client.get_alias(**named)["FunctionVersion"] == "1"
    client.update_alias(**named, FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {}})


def test_ministack_alone_still_takes_any_version(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack refuses it by itself: remove `_require_versions`."""
    role = bare("iam").create_role(RoleName="aliases", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    code = {"ZipFile": package(ECHO)}
    bare("lambda").create_function(FunctionName="f", Runtime="python3.13", Handler="f.handler", Role=role, Code=code)
    assert bare("lambda").create_alias(FunctionName="f", Name="live", FunctionVersion="7")["FunctionVersion"] == "7"


# Reserved concurrency


def reserve(lab: Lab, name: str, most: int) -> None:
    lab.client().put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)


def test_without_any_concurrency_no_version_runs_and_an_event_is_a_dead_letter_without_a_code(lab: Lab) -> None:
    url, arn = lab.queue()
    name = lab.published(ECHO, "sqs:SendMessage", DeadLetterConfig={"TargetArn": arn})
    reserve(lab, name, 0)
    client = lab.impatient()
    for qualifier in ("", ":live"):
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName=name + qualifier, Payload=b"{}")
        assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    lab.send(f"{name}:live")
    (letter,) = lab.messages(url)
    attributes = letter["MessageAttributes"]
    assert attributes.keys() == {"RequestID", "ErrorMessage"}
    assert attributes["ErrorMessage"]["StringValue"].startswith("Function not invoked.")


def test_with_one_the_event_that_comes_meanwhile_is_throttled_and_comes_later(lab: Lab, tmp_path: Path) -> None:
    name, event = lab.published(WAITING), {"folder": str(tmp_path)}
    reserve(lab, name, 1)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(lab.client().invoke, FunctionName=name, Payload=json.dumps(event))
        wait_for((tmp_path / "began").exists)
        lab.send(f"{name}:live", event)
        wait_for(lambda: lab.stack.aws.queue_state()["functions"][name].get("THROTTLED"))
        (tmp_path / "go").touch()
        assert "FunctionError" not in running.result()
    assert lab.stack.drain()["functions"][name]["SUCCESS"] == 1


def test_the_stacks_parameter_reserves_concurrency_and_its_template_the_dead_letter_queue(lab: Lab) -> None:
    client, name = lab.client(), f"{uuid.uuid4()}"
    _, target = lab.queue()
    stack = deploy(lab, name, function(lab.role("sqs:SendMessage"), target, reserved=3))
    made = stack["F"]
    assert client.get_function_concurrency(FunctionName=made)["ReservedConcurrentExecutions"] == 3
    assert client.get_function_configuration(FunctionName=made)["DeadLetterConfig"] == {"TargetArn": target}
    assert client.get_function_configuration(FunctionName=f"{made}:1")["DeadLetterConfig"] == {"TargetArn": target}


# CloudFormation


def function(role: str, target: str, *, reserved: int | None = None) -> dict[str, Any]:
    properties = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": ECHO},
        "Role": role,
        "DeadLetterConfig": {"TargetArn": target},
        **({} if reserved is None else {"ReservedConcurrentExecutions": reserved}),
    }
    return {
        "F": {"Type": "AWS::Lambda::Function", "Properties": properties},
        "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}},
    }


def deploy(lab: Lab, name: str, resources: dict[str, Any]) -> dict[str, str]:
    """Make a stack; return the physical ids of its resources."""
    client = lab.client("cloudformation")
    client.create_stack(StackName=f"s-{name}", TemplateBody=json.dumps({"Resources": resources}))
    with contextlib.suppress(Exception):
        client.get_waiter("stack_create_complete").wait(
            StackName=f"s-{name}", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
    described = client.describe_stack_resources(StackName=f"s-{name}")["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described}


def reasons(lab: Lab, name: str) -> str:
    events = lab.client("cloudformation").describe_stack_events(StackName=f"s-{name}")["StackEvents"]
    return "\n".join(event.get("ResourceStatusReason", "") for event in events)


def test_cloudformation_refuses_a_function_whose_role_may_not_send_to_the_queue(lab: Lab) -> None:
    _, target = lab.queue()
    deploy(lab, "denied", function(lab.role(), target))
    (stack,) = lab.client("cloudformation").describe_stacks(StackName="s-denied")["Stacks"]
    assert stack["StackStatus"] in ("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE")
    assert f'Resource handler returned message: "{DENIED} (Service: Lambda, Status Code: 400' in reasons(lab, "denied")


def test_cloudformation_refuses_a_topic_that_is_not_supported_here(lab: Lab) -> None:
    topic = lab.client("sns").create_topic(Name="topic")["TopicArn"]
    deploy(lab, "topic", function(lab.role("sns:Publish"), topic))
    assert "delivers to Lambda functions and SQS queues only" in reasons(lab, "topic")


def test_cloudformation_refuses_a_destination_that_the_role_may_not_send_to(lab: Lab) -> None:
    _, target = lab.queue()
    name = lab.published()
    settings = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": name,
            "Qualifier": "live",
            "DestinationConfig": {"OnSuccess": {"Destination": target}},
        },
    }
    deploy(lab, "destination", {"S": settings})
    sentence = f"The function's execution role does not have permissions to call SendMessage on {target}"
    assert sentence in reasons(lab, "destination")


# Alarms

OF_MATH = {
    "A": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": "share",
            "Metrics": [
                {
                    "Id": "one",
                    "ReturnData": False,
                    "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"},
                },
                {"Id": "share", "Expression": "100 * one"},
            ],
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 25,
        },
    }
}


def test_an_alarm_on_an_expression_is_deployed_and_stays_without_data(lab: Lab) -> None:
    deploy(lab, "math", OF_MATH)
    (alarm,) = lab.client("cloudwatch").describe_alarms(AlarmNames=["share"])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["StateValue"]) == (25, "INSUFFICIENT_DATA")


# MiniStack alone


def test_ministack_alone_still_refuses_an_alarm_on_an_expression(bare: Callable[..., Any]) -> None:
    """When this fails, remove `_keep_alarms_on_expressions`."""
    formation = bare("cloudformation")
    formation.create_stack(StackName="math", TemplateBody=json.dumps({"Resources": OF_MATH}))
    with pytest.raises(WaiterError):
        formation.get_waiter("stack_create_complete").wait(
            StackName="math", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )


def test_ministack_alone_still_asks_for_an_action_that_iam_does_not_have(
    bare: Callable[..., Any],
) -> None:
    """When this fails, MiniStack names actions as IAM does: remove `RENAMED`."""
    _, key = user(bare("iam"), allow("sqs:SendMessage", "*"))
    sqs = bare("sqs", key["AccessKeyId"], key["SecretAccessKey"], None)
    url = bare("sqs").create_queue(QueueName="batch")["QueueUrl"]
    with pytest.raises(ClientError, match="sqs:SendMessageBatch"):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "b"}])


def test_ministack_alone_still_reserves_nothing_for_versions_and_deploys_half_functions(
    bare: Callable[..., Any],
) -> None:
    """When this fails, look which of the other functions of `local/gaps/inside.py` can go."""
    client, iam = bare("lambda"), bare("iam")
    role = iam.create_role(RoleName="half", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    client.create_function(FunctionName="capped", Runtime="python3.13", Handler="f.handler", Role=role,
                           Code={"ZipFile": package(ECHO)}, Publish=True)  # fmt: skip
    client.put_function_concurrency(FunctionName="capped", ReservedConcurrentExecutions=0)
    assert client.invoke(FunctionName="capped:1", Payload=b"{}")["StatusCode"] == 200
    target = bare("sqs").create_queue(QueueName="letters")["QueueUrl"]
    arn = bare("sqs").get_queue_attributes(QueueUrl=target, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    template = json.dumps({"Resources": function(role, arn, reserved=3)})
    formation = bare("cloudformation")
    formation.create_stack(StackName="half", TemplateBody=template)
    formation.get_waiter("stack_create_complete").wait(
        StackName="half", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    made = formation.describe_stack_resource(StackName="half", LogicalResourceId="F")["StackResourceDetail"]
    name = made["PhysicalResourceId"]
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)
    assert "DeadLetterConfig" not in client.get_function_configuration(FunctionName=name)


# Queues


def test_a_message_is_completed_once_however_often_its_queue_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    completed: list[str] = []
    sqs = SimpleNamespace(_ensure_msg_fields=lambda message: completed.append(message["body"]))
    monkeypatch.setattr(inside, "ministack", lambda name: sqs)
    inside._complete_messages_once()
    messages = [{"body": "a"}, {"body": "b"}]
    for message in messages * 3:
        sqs._ensure_msg_fields(message)
    assert completed == ["a", "b"]


def test_ministack_alone_still_starts_a_thread_for_each_call_and_looks_through_all_metrics() -> None:
    """When this fails, look whether `_keep_threads` can go, or the line about metrics in `wrap`."""
    assert "threading.Thread(target=_run" in inspect.getsource(ministack("core.concurrency").run_reentrant)
    assert "in _metrics.items()" in inspect.getsource(ministack("services.cloudwatch")._evict_old_metrics)
