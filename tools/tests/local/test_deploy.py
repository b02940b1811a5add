"""The production parameters on the embedded AWS: those that it supports, all at once."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from model import build as build_model
from pipeline.local.deploy import PARAMETERS, build, deploy
from pipeline.local.embedded.process import EmbeddedAws, Options
from pipeline.stack import Stack
from tests.deployed import ROOT, STACK_NAME
from tools.tests.local.lambdas import client_of

pytestmark = pytest.mark.xdist_group("deploy")  # it is deployed once

ALARM = "AWS::CloudWatch::Alarm"
# MiniStack's CloudFormation knows no CodeDeploy and no Application Auto Scaling: GradualDeployment and the maximum have
# to wait for AWS.
SUPPORTED = {
    **PARAMETERS,
    "ProcessorProvisionedConcurrency": "2",
    "ReservedConcurrency": "5",
    "ProcessorReservedConcurrency": "10",
    "LogRetentionDays": "365",
    "AlarmEmail": "on-call@example.com",
    "ProtectData": "true",
}


def with_arns(aws: EmbeddedAws) -> dict[str, str]:
    """Add what has an ARN: a key and a topic, which are made once."""
    kms = aws.client("kms")
    keys = kms.list_keys()["Keys"]
    key = keys[0]["KeyArn"] if keys else kms.create_key()["KeyMetadata"]["Arn"]
    return {**SUPPORTED, "KmsKeyArn": key, "AlarmTopicArn": existing_topic(aws)}


def existing_topic(aws: EmbeddedAws) -> str:
    topic: str = aws.client("sns").create_topic(Name="existing")["TopicArn"]
    return topic


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[EmbeddedAws, Stack]]:
    with EmbeddedAws(Options()) as aws:
        template = build(aws.workspace, root=ROOT)
        yield aws, deploy(aws, template, root=ROOT, parameters=with_arns(aws))


def test_the_stack_is_complete_with_all_of_them(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, _ = deployed
    (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_the_processor_is_kept_warm_behind_its_alias(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    function, _, alias = stack.aliases["processor"].rpartition(":")
    warm = aws.client("lambda").get_provisioned_concurrency_config(FunctionName=function, Qualifier=alias)
    assert warm["RequestedProvisionedConcurrentExecutions"] == 2


def test_the_table_is_protected(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    assert aws.client("dynamodb").describe_table(TableName=stack.table)["Table"]["DeletionProtectionEnabled"] is True


def test_the_key_encrypts_the_queue(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=["All"])
    assert ":key/" in queue["Attributes"]["KmsMasterKeyId"]


def test_a_function_cannot_use_the_key_itself_but_only_the_services_in_its_name(
    deployed: tuple[EmbeddedAws, Stack],
) -> None:
    aws, _ = deployed
    role = aws.client("cloudformation").describe_stack_resource(StackName=STACK_NAME, LogicalResourceId="ProcessorRole")
    arn = aws.client("iam").get_role(RoleName=role["StackResourceDetail"]["PhysicalResourceId"])["Role"]["Arn"]
    taken = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="key")["Credentials"]
    kms = client_of(aws, "kms", taken)
    (key,) = (k["KeyArn"] for k in aws.client("kms").list_keys()["Keys"])
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256")


def test_every_alarm_tells_the_address_and_the_existing_topic(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    resources = build_model().to_dict()["Resources"].values()
    # No bucket is deployed here.
    wanted = [one for one in resources if one["Type"] == ALARM and one.get("Condition") != "FilesAreWatched"]
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == len(wanted) > 4 * len(stack.aliases)
    told = {topic for alarm in alarms for topic in alarm["AlarmActions"]}
    assert all(set(alarm["AlarmActions"]) == set(alarm["OKActions"]) == told for alarm in alarms)
    (own,) = told - {existing_topic(aws)}
    (subscription,) = aws.client("sns").list_subscriptions_by_topic(TopicArn=own)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")


def test_the_failures_in_each_log_are_counted_for_an_alarm(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    counted = {
        (metric_filter["logGroupName"], published["metricNamespace"], published["metricName"])
        for metric_filter in aws.client("logs").describe_metric_filters()["metricFilters"]
        for published in metric_filter["metricTransformations"]
    }
    of_stages = {
        (f"/aws/lambda/{function.split(':')[-2]}", STACK_NAME, f"{stage.capitalize()}Failures")
        for stage, function in stack.aliases.items()
    }
    assert of_stages <= counted
    watched = {
        (a.get("Namespace"), a.get("MetricName")) for a in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    assert {of[1:] for of in of_stages} <= watched


def test_the_dashboard_leads_to_the_consoles_own_pages(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, _ = deployed
    client = aws.client("cloudwatch")
    for entry in client.list_dashboards()["DashboardEntries"]:
        body = json.loads(client.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
        assert "](#alarmsV2:)" in body["widgets"][0]["properties"]["markdown"]


def test_a_second_deployment_of_the_same_changes_nothing(deployed: tuple[EmbeddedAws, Stack]) -> None:
    aws, stack = deployed
    events = aws.client("cloudformation").describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    built = aws.workspace.path / "build" / "template.yaml"
    assert deploy(aws, built, root=ROOT, parameters=with_arns(aws)) == stack
    assert aws.client("cloudformation").describe_stack_events(StackName=STACK_NAME)["StackEvents"] == events
