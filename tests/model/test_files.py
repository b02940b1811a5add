"""The bucket of files: there where it is wanted, private, and read by a function that may do nothing else."""

import json
import re
from typing import Any

import pytest

from core.files.uploaded import RESERVED

from .built_stages import STAGES
from .pipelines import stack_of, stage
from .resolution import deployed
from .test_stack import rights

BUCKET = {"Fn::GetAtt": ["FilesStorage", "Arn"]}


@pytest.fixture(scope="module")
def stack(template: dict[str, Any]) -> dict[str, Any]:
    """The template as it is deployed with a bucket, and watched."""
    return deployed(template, FilesBucket="true", AlarmEmail="on-call@example.com")


@pytest.fixture(scope="module")
def resources(stack: dict[str, Any]) -> dict[str, Any]:
    return dict(stack["Resources"])


def properties(resources: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in resources[name]["Properties"].items() if k != "Tags"}


@pytest.mark.parametrize("gradual", ["false", "true"])
def test_without_a_bucket_nothing_of_it_is_there_and_all_else_is_as_it_was(
    template: dict[str, Any], gradual: str
) -> None:
    choices = {"GradualDeployment": gradual, "AlarmEmail": "on-call@example.com"}
    without, with_bucket = (deployed(template, FilesBucket=wanted, **choices) for wanted in ("false", "true"))
    more = with_bucket["Resources"].keys() - without["Resources"].keys()
    assert {name for name in more if not name.startswith(("Files", "Reader"))} == set()
    outputs = {"FilesBucketName", "FilesQueueArn", "FilesQueueUrl", "ReaderFunctionArn", "ReaderRoleId"}
    assert with_bucket["Outputs"].keys() - without["Outputs"].keys() == outputs
    assert not re.search("Files|Reader", json.dumps([without["Resources"], without["Outputs"]]))
    changed = {name for name, body in without["Resources"].items() if with_bucket["Resources"][name] != body}
    assert changed == {"DeadLetterQueue", "DeadLetterQueuePolicy"}
    assert properties(without["Resources"], "DeadLetterQueue")["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


def test_the_bucket_is_private_encrypted_versioned_retained_and_unnamed(resources: dict[str, Any]) -> None:
    bucket = resources["FilesStorage"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    found = properties(resources, "FilesStorage")
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(found["PublicAccessBlockConfiguration"]) == 4
    assert found["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert found["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (rule,) = found["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    assert "ExpirationInDays" not in rule
    (encryption,) = found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "BucketName" not in found


def test_a_key_encrypts_the_bucket_and_the_reader_may_use_it_through_s3(template: dict[str, Any]) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
    resources = deployed(template, FilesBucket="true", KmsKeyArn=key)["Resources"]
    (encryption,) = properties(resources, "FilesStorage")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}},
    }
    statements = properties(resources, "ReaderPolicy")["PolicyDocument"]["Statement"]
    through = [
        s["Condition"]["StringLike"]["kms:ViaService"] for s in statements if s["Resource"] == [{"Ref": "KmsKeyArn"}]
    ]
    assert [{"Fn::Sub": f"{service}.${{AWS::Region}}.*"} for service in ("dynamodb", "s3")] in through


def test_nobody_uses_the_bucket_without_tls_and_only_the_reader_writes_beside_files(resources: dict[str, Any]) -> None:
    everybody = {"Effect": "Deny", "Principal": "*"}
    plain, written = properties(resources, "FilesStoragePolicy")["PolicyDocument"]["Statement"]
    assert plain == everybody | {
        "Action": ["s3:*"],
        "Resource": [BUCKET, {"Fn::Sub": "${FilesStorage.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    assert written == everybody | {
        "Action": ["s3:PutObject", "s3:ReplicateObject"],
        "Resource": [{"Fn::Sub": f"${{FilesStorage.Arn}}/{beginning}*"} for beginning in RESERVED],
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["ReaderRole", "Arn"]}}},
    }


def test_the_reader_may_do_what_its_code_does_and_nothing_else(stack: dict[str, Any]) -> None:
    statements = properties(stack["Resources"], "ReaderPolicy")["PolicyDocument"]["Statement"]
    log_group, queue = ({"Fn::GetAtt": [name, "Arn"]} for name in ("ReaderLogGroup", "FilesQueue"))
    objects, *written = [{"Fn::Sub": f"${{FilesStorage.Arn}}/{beginning}*"} for beginning in ("", *RESERVED)]
    assert [(action, *s["Resource"]) for s in statements for action in s["Action"]] == [
        *((f"logs:{name}", log_group) for name in ("CreateLogStream", "PutLogEvents")),
        *((f"xray:{name}", "*") for name in ("PutTraceSegments", "PutTelemetryRecords")),
        ("sqs:SendMessage", {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}),
        *(("s3:GetObject", objects), ("s3:GetObjectVersion", objects), ("s3:ListBucket", BUCKET)),
        *(("s3:PutObject", place) for place in written),
        ("s3:DeleteObject", {"Fn::Sub": "${FilesStorage.Arn}/reports/*"}),
        *((f"sqs:{name}", queue) for name in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
        *((f"sqs:{name}", queue) for name in ("SendMessage", "ChangeMessageVisibility")),
        ("lambda:InvokeFunction", {"Ref": "ValidatorFunctionAliaslive"}),
        ("dynamodb:BatchGetItem", {"Fn::GetAtt": ["DataTable", "Arn"]}),
    ]


def test_no_other_role_may_use_the_bucket(stack: dict[str, Any]) -> None:
    for name in STAGES:
        assert not any(action.startswith("s3:") for action in rights(stack, name))


def test_each_file_but_those_that_the_reader_writes_comes_into_the_queue(resources: dict[str, Any]) -> None:
    rule = properties(resources, "FilesRule")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [{"Ref": "FilesStorage"}]},
            "object": {"key": [{"anything-but": {"prefix": list(RESERVED)}}]},
        },
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["FilesQueue", "Arn"]}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}


def test_files_wait_for_14_days_and_two_at_once_are_read(resources: dict[str, Any]) -> None:
    queue = properties(resources, "FilesQueue")
    assert resources["FilesQueue"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    assert queue["VisibilityTimeout"] == 6 * properties(resources, "ReaderFunction")["Timeout"]
    letters = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": letters, "maxReceiveCount": 5}
    assert properties(resources, "DeadLetterQueue")["RedriveAllowPolicy"] == {"redrivePermission": "allowAll"}
    assert properties(resources, "ReaderMapping") == {
        "FunctionName": {"Ref": "ReaderFunctionAliaslive"},
        "EventSourceArn": {"Fn::GetAtt": ["FilesQueue", "Arn"]},
        "BatchSize": 1,
        "ScalingConfig": {"MaximumConcurrency": 2},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


@pytest.mark.parametrize("queue", ["DeadLetterQueue", "FilesQueue"])
def test_the_rule_alone_may_send_to_a_queue_beside_the_roles(resources: dict[str, Any], queue: str) -> None:
    statements = properties(resources, f"{queue}Policy")["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert allowed == {
        **{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": ["sqs:SendMessage"]},
        "Resource": [{"Fn::GetAtt": [queue, "Arn"]}],
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["FilesRule", "Arn"]}}},
    }


def test_the_reader_has_all_of_lambdas_time_and_any_number_of_invocations(resources: dict[str, Any]) -> None:
    function = properties(resources, "ReaderFunction")
    assert (function["Timeout"], function["RecursiveLoop"]) == (900, "Allow")
    variables = function["Environment"]["Variables"]
    assert variables["ENTRY_FUNCTION_ARN"] == {"Ref": "ValidatorFunctionAliaslive"}
    assert 0 < int(variables["RECORDS_A_SECOND"]) < 4000, "what a new table takes a second"
    assert int(variables["READERS"]) == properties(resources, "ReaderMapping")["ScalingConfig"]["MaximumConcurrency"]
    assert "ReaderFunctionEventInvokeConfig" not in resources


def test_a_stack_of_other_stages_gives_its_files_to_the_first() -> None:
    reader = stack_of(stage("first"), stage("last")).to_dict()["Resources"]["ReaderFunction"]
    assert reader["Properties"]["Environment"]["Variables"]["ENTRY_FUNCTION_ARN"] == {"Ref": "FirstFunction.Alias"}
