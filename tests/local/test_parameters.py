"""The production parameters on the embedded AWS: those that it supports, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from local.deploy import PARAMETERS, STACK_NAME, Stack, build, deploy
from local.embedded import EmbeddedAws, Options
from local.settings import REGION

# MiniStack's CloudFormation knows no CodeDeploy, no Application Auto Scaling, and no alarm on an expression, as those
# on losses are: GradualDeployment, the maximum and the alarms' addresses have to wait for AWS.
SUPPORTED = {
    **PARAMETERS,
    "ProcessorProvisionedConcurrency": "2",
    "ReservedConcurrency": "5",
    "ProcessorReservedConcurrency": "10",
    "LogRetentionDays": "365",
    "ProtectData": "true",
}


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[EmbeddedAws, Stack]]:
    with EmbeddedAws(Options()) as aws:
        key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        yield aws, deploy(aws, build(aws.workspace), parameters={**SUPPORTED, "KmsKeyArn": key})


def test_the_stack_is_complete_with_all_of_them(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, _ = deployed
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_the_processor_is_kept_warm_behind_its_alias(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    function, _, alias = stack.functions["processor"].rpartition(":")
    warm = aws.client("lambda").get_provisioned_concurrency_config(FunctionName=function, Qualifier=alias)
    assert warm["RequestedProvisionedConcurrentExecutions"] == 2


def test_the_table_is_protected(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    assert aws.client("dynamodb").describe_table(TableName=stack.table)["Table"]["DeletionProtectionEnabled"] is True


def test_the_key_encrypts_the_queue(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=["All"])
    assert ":key/" in queue["Attributes"]["KmsMasterKeyId"]


def test_a_function_cannot_use_the_key_itself_but_only_the_services_in_its_name(
    deployed: tuple[EmbeddedAws, Stack],
) -> None:
    aws, _ = deployed
    role = aws.client("cloudformation").describe_stack_resource(StackName=STACK_NAME, LogicalResourceId="ProcessorRole")
    arn = aws.client("iam").get_role(RoleName=role["StackResourceDetail"]["PhysicalResourceId"])["Role"]["Arn"]
    taken = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="key")["Credentials"]
    session = boto3.session.Session(
        taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], region_name=REGION
    )
    kms = session.client("kms", endpoint_url=aws.endpoint, verify=aws.environment["AWS_CA_BUNDLE"])
    (key,) = (k["KeyArn"] for k in aws.client("kms").list_keys()["Keys"])
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")


def test_a_second_deployment_of_the_same_changes_nothing(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    events = aws.client("cloudformation").describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    (key,) = (k["KeyArn"] for k in aws.client("kms").list_keys()["Keys"])
    assert deploy(aws, build(aws.workspace), parameters={**SUPPORTED, "KmsKeyArn": key}) == stack
    assert aws.client("cloudformation").describe_stack_events(StackName=STACK_NAME)["StackEvents"] == events
