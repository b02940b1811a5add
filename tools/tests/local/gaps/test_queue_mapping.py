"""Files by a queue: bucket, rule, queue and mapping, deployed by CloudFormation, and what each does when it may not."""

from __future__ import annotations

import inspect
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.embedded.ministack import ministack
from pipeline.local.embedded.process import EmbeddedAws
from tools.tests.local.lambdas import TRUST, package

DEADLINE = 30
"""Seconds."""
READER = """
import json, os, time
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    (record,) = event["Records"]
    body = record["body"]
    told = {"body": body, "sender": record["attributes"]["SenderId"], "began": time.time(),
            "arn": context.invoked_function_arn, "version": context.function_version, "id": context.aws_request_id}
    if "sleep" in body:
        time.sleep(1)
    told["ended"] = time.time()
    sqs.send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(told))
    if "raise" in body:
        raise ValueError(body)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}] if "fail" in body else []}
"""


def arn_of(resource: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def statement(*actions: str, on: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def from_rule(queue: str) -> dict[str, Any]:
    """Let the rule send to a queue, over TLS alone."""
    rule = {"ArnEquals": {"aws:SourceArn": arn_of("Rule")}}
    allow = {**statement("sqs:SendMessage", on=arn_of(queue)), "Principal": {"Service": "events.amazonaws.com"}}
    deny = {**statement("sqs:*", on=arn_of(queue)), "Effect": "Deny", "Principal": "*"}
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue}],
            "PolicyDocument": document(
                {**allow, "Condition": rule}, {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
            ),
        },
    }


RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
RESOURCES: dict[str, Any] = {
    "Bucket": {
        "Type": "AWS::S3::Bucket",
        "Properties": {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
    },
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"Ref": "Bucket"}]}}},
            "Targets": [{"Id": "queue", "Arn": arn_of("Files"), "DeadLetterConfig": {"Arn": arn_of("Letters")}}],
        },
    },
    "Letters": {"Type": "AWS::SQS::Queue"},
    "LettersPolicy": from_rule("Letters"),
    "Told": {"Type": "AWS::SQS::Queue"},
    "Files": {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "VisibilityTimeout": 4,
            "RedrivePolicy": {"deadLetterTargetArn": arn_of("Letters"), "maxReceiveCount": 1},
        },
    },
    "FilesPolicy": from_rule("Files"),
    "Role": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [
                {
                    "PolicyName": "reader",
                    "PolicyDocument": document(
                        statement(*RECEIVE, on=arn_of("Files")), statement("sqs:SendMessage", on=arn_of("Told"))
                    ),
                }
            ],
        },
    },
    "Reader": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "f.handler",
            "Role": arn_of("Role"),
            "Timeout": 4,
            "Code": {"S3Bucket": {"Ref": "Code"}, "S3Key": "code.zip"},
            "Environment": {"Variables": {"TOLD": {"Ref": "Told"}}},
        },
    },
    "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Reader"}}},
    "Alias": {
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "FunctionName": {"Ref": "Reader"},
            "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            "Name": "live",
        },
    },
    "Mapping": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "DependsOn": "FilesPolicy",
        "Properties": {
            "EventSourceArn": arn_of("Files"),
            "FunctionName": {"Ref": "Alias"},
            "BatchSize": 1,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 2},
        },
    },
}


@dataclass(frozen=True)
class Files:
    """A deployed stack that takes files by a queue."""

    aws: EmbeddedAws
    ids: dict[str, str]
    """The physical id of each resource."""

    def send(self, *bodies: str, **more: Any) -> None:
        for body in bodies:
            self.aws.client("sqs").send_message(QueueUrl=self.ids["Files"], MessageBody=body, **more)

    def told(self, number: int) -> list[dict[str, Any]]:
        """Wait until the reader has told of so many messages."""
        return [json.loads(message["Body"]) for message in self.taken("Told", number)]

    def taken(self, queue: str, number: int) -> list[dict[str, Any]]:
        """Wait until so many messages could be taken out of a queue."""
        client, url, found, deadline = self.aws.client("sqs"), self.ids[queue], [], time.monotonic() + DEADLINE
        while len(found) < number:
            assert time.monotonic() < deadline, found
            for message in client.receive_message(
                QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
            ).get("Messages", []):
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message)
        return found


def deploy(aws: EmbeddedAws, resources: dict[str, Any]) -> Files:
    """Deploy the stack anew, with other resources."""
    bucket, stack = f"code-{uuid.uuid4()}", f"files-{uuid.uuid4()}"
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_object(Bucket=bucket, Key="code.zip", Body=package(READER))
    template = json.dumps({"Parameters": {"Code": {"Type": "String"}}, "Resources": RESOURCES | resources})
    client, code = aws.client("cloudformation"), [{"ParameterKey": "Code", "ParameterValue": bucket}]
    client.create_stack(StackName=stack, TemplateBody=template, Parameters=code, Capabilities=["CAPABILITY_IAM"])
    deadline = time.monotonic() + DEADLINE
    while (found := client.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"].endswith("_IN_PROGRESS"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"].endswith("FAILED")]
    assert found["StackStatus"] == "CREATE_COMPLETE", "; ".join(reasons)
    listed = client.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return Files(aws, {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed})


@pytest.fixture(scope="module")
def files(aws: EmbeddedAws) -> Iterator[Files]:
    files = deploy(aws, {})
    yield files
    aws.client("lambda").delete_event_source_mapping(UUID=files.ids["Mapping"])


def without(resource: str, **properties: Any) -> dict[str, Any]:
    """Return a resource with other properties."""
    return {resource: {**RESOURCES[resource], "Properties": {**RESOURCES[resource]["Properties"], **properties}}}


def test_a_file_comes_by_rule_queue_and_mapping_to_the_alias_of_the_reader(files: Files) -> None:
    files.aws.client("s3").put_object(Bucket=files.ids["Bucket"], Key="a.jsonl", Body=b"{}")
    (told,) = files.told(1)
    assert json.loads(told["body"])["detail"]["object"]["key"] == "a.jsonl"
    assert told["version"] == "1"
    assert told["arn"].endswith(":live")


def test_no_more_run_at_once_than_the_mapping_says(files: Files) -> None:
    files.send(*(f"sleep {number}" for number in range(4)))
    told = sorted(files.told(4), key=lambda one: one["began"])
    most = max(sum(one["began"] < other["ended"] <= one["ended"] for other in told) for one in told)
    assert most == 2


def test_a_message_that_fails_goes_to_the_letters_with_its_source_and_sender(files: Files) -> None:
    client, queue = files.aws.client("sqs"), files.ids["Files"]
    client.set_queue_attributes(
        QueueUrl=queue, Attributes={"VisibilityTimeout": "1"}
    )  # no need to wait for four seconds
    files.send("fail", "raise")
    letters = files.taken("Letters", 2)
    client.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "4"})
    assert {letter["Body"] for letter in letters} == {"fail", "raise"}
    assert {letter["Attributes"]["DeadLetterQueueSourceArn"] for letter in letters} == {arn(files, "Files")}
    senders = [letter["Attributes"]["SenderId"] for letter in letters] + [one["sender"] for one in files.told(2)]
    assert set(senders) == {"000000000000"}


def test_a_message_waits_for_its_delay_and_while_the_mapping_is_disabled(files: Files) -> None:
    began = time.time()
    files.send("later", DelaySeconds=1)
    assert files.told(1)[0]["began"] > began + 0.9
    client = files.aws.client("lambda")
    assert client.update_event_source_mapping(UUID=files.ids["Mapping"], Enabled=False)["State"] == "Disabled"
    time.sleep(0.5)  # a poll that had begun
    files.send("paused")
    time.sleep(0.7)
    assert waiting(files) == 1
    client.update_event_source_mapping(UUID=files.ids["Mapping"], Enabled=True)
    assert [one["body"] for one in files.told(1)] == ["paused"]


def attribute(files: Files, queue: str, name: str) -> str:
    found = files.aws.client("sqs").get_queue_attributes(QueueUrl=files.ids[queue], AttributeNames=[name])
    return str(found["Attributes"][name])


def arn(files: Files, queue: str) -> str:
    return attribute(files, queue, "QueueArn")


def waiting(files: Files) -> int:
    return int(attribute(files, "Files", "ApproximateNumberOfMessages"))


def send_by_rule(files: Files) -> dict[str, str]:
    """Put a file that its rule can't announce, and return what the letter says of that."""
    files.aws.client("s3").put_object(Bucket=files.ids["Bucket"], Key="a.jsonl", Body=b"{}")
    (letter,) = files.taken("Letters", 1)
    assert json.loads(letter["Body"])["detail"]["object"]["key"] == "a.jsonl"
    assert letter["Attributes"]["SenderId"] == "AROAEXAMPLE"
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told.pop("RULE_ARN") == files.aws.client("events").describe_rule(Name=files.ids["Rule"])["Arn"]
    return told


def test_a_queue_that_does_not_allow_the_rule_gets_nothing_and_one_that_is_gone_neither(aws: EmbeddedAws) -> None:
    files = deploy(aws, {**without("Mapping", Enabled=False), **without("FilesPolicy", Queues=[{"Ref": "Told"}])})
    target = arn(files, "Files")
    assert send_by_rule(files) == {"TARGET_ARN": target, "ERROR_CODE": "NO_PERMISSIONS", "RETRY_ATTEMPTS": "0"}
    assert waiting(files) == 0
    aws.client("sqs").delete_queue(QueueUrl=files.ids["Files"])
    assert send_by_rule(files) == {"TARGET_ARN": target, "ERROR_CODE": "NO_RESOURCE", "RETRY_ATTEMPTS": "0"}


def test_a_function_that_does_not_allow_the_rule_is_not_run(aws: EmbeddedAws) -> None:
    targets = [{"Id": "f", "Arn": {"Ref": "Alias"}, "DeadLetterConfig": {"Arn": arn_of("Letters")}}]
    files = deploy(aws, {**without("Mapping", Enabled=False), **without("Rule", Targets=targets)})
    told = send_by_rule(files)
    assert told == {"TARGET_ARN": files.ids["Alias"], "ERROR_CODE": "NO_PERMISSIONS", "RETRY_ATTEMPTS": "0"}


@pytest.mark.parametrize("missing", RECEIVE)
def test_a_mapping_needs_the_rights_of_the_role(aws: EmbeddedAws, missing: str) -> None:
    rest = [statement(*(action for action in RECEIVE if action != missing), on=arn_of("Files"))]
    role = without("Role", Policies=[{"PolicyName": "reader", "PolicyDocument": document(*rest)}])
    with pytest.raises(AssertionError, match=f"does not have permissions to call {missing[4:]} on SQS"):
        deploy(aws, role)


def test_a_mapping_needs_a_queue_that_hides_messages_as_long_as_the_function_may_run(files: Files) -> None:
    mapping = {"EventSourceArn": arn(files, "Files"), "FunctionName": files.ids["Reader"]}
    client = files.aws.client("lambda")
    client.update_function_configuration(FunctionName=files.ids["Reader"], Timeout=60)
    with pytest.raises(ClientError, match="Queue visibility timeout: 4 seconds is less than Function timeout: 60 sec"):
        client.create_event_source_mapping(**mapping)
    with pytest.raises(ClientError, match="NonExistentQueue"):
        client.create_event_source_mapping(**{**mapping, "EventSourceArn": f"{mapping['EventSourceArn']}x"})


def test_ministack_alone_still_sends_and_maps_without_a_right(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack asks by itself: drop what `rule_targets.py` or `mappings.py` add."""
    sqs, events, iam = bare("sqs"), bare("events"), bare("iam")
    url = sqs.create_queue(QueueName="no-policy")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue}])
    events.put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    role = iam.create_role(RoleName="nothing", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    code = {"ZipFile": package(READER)}
    name = f"f-{uuid.uuid4()}"
    bare("lambda").create_function(FunctionName=name, Runtime="python3.13", Handler="f.handler", Role=role, Code=code)
    made = bare("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=name, Enabled=False)
    bare("lambda").delete_event_source_mapping(UUID=made["UUID"])


def test_ministack_still_runs_the_functions_of_rules_at_once() -> None:
    source = inspect.getsource(ministack("services.eventbridge"))
    assert "target=lambda_svc._execute_function_with_config_scope" in source, "drop this part of rule_targets.py"
