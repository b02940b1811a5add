"""The parameters' choices: every pair translated and without a dangling reference, every condition linted."""

import itertools
import json
from typing import Any

import pytest
from cfnlint.api import lint_all

from ..own.pipeline import build
from .built_stages import STAGES, following
from .resolution import deployed, references
from .translation import translate

KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
CHOICES: dict[str, tuple[Any, Any]] = {
    "ProcessorProvisionedConcurrency": (0, 2),
    "ProcessorProvisionedConcurrencyMaximum": (0, 5),
    "ReservedConcurrency": (0, 10),
    "ProcessorReservedConcurrency": (0, 20),
    "GradualDeployment": ("false", "true"),
    "DeploymentType": ("Canary10Percent5Minutes", "Linear10PercentEvery1Minute"),
    "DeploymentAttempt": (1, 2),
    "PermissionsBoundaryArn": ("", "arn:aws:iam::123456789012:policy/boundary"),
    "AlarmEmail": ("", "on-call@example.com"),
    "AlarmTopicArn": ("", "arn:aws:sns:us-east-1:123456789012:alarms"),
    "KmsKeyArn": ("", KEY),
    "ProtectData": ("false", "true"),
    "FilesBucket": ("false", "true"),
    "Architecture": ("arm64", "x86_64"),
    "LogRetentionDays": (7, 365),
}
# The twenty runs of Plackett and Burman: every pair of up to 19 choices in every combination.
RUN = (1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0)
RUNS = [(0,) * 19, *(RUN[-shift:] + RUN[:-shift] for shift in range(19))]
COMBINATIONS = [{name: choices[on] for (name, choices), on in zip(CHOICES.items(), run, strict=False)} for run in RUNS]


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return build().to_dict()


def test_the_runs_cover_every_pair() -> None:
    assert len(CHOICES) <= len(RUN)
    for first, second in itertools.combinations(range(19), 2):
        assert {(run[first], run[second]) for run in RUNS} == set(itertools.product((0, 1), repeat=2))


def test_the_choices_are_of_every_parameter_but_the_suffix(model: dict[str, Any]) -> None:
    assert set(CHOICES) == set(model["Parameters"]) - {"EnvironmentSuffix"}


@pytest.mark.parametrize("combination", COMBINATIONS, ids=range(1, 21))
def test_a_combination_refers_to_nothing_that_is_not_there(model: dict[str, Any], combination: dict[str, Any]) -> None:
    stack = deployed(model, **combination)
    referred = {name for name in references([stack["Resources"], stack["Outputs"]]) if not name.startswith("AWS::")}
    depends_on = [resource.get("DependsOn") for resource in stack["Resources"].values()]
    depended = {name for name in depends_on if isinstance(name, str)}
    assert len(referred) > 10
    assert referred | depended <= {*stack["Resources"], *stack["Parameters"]}


def findings(translated: dict[str, Any]) -> list[str]:
    """What cfn-lint finds, but for its advice on comments for machines (I4010)."""
    return [str(match) for match in lint_all(json.dumps(translated)) if match.rule.id != "I4010"]


# The translation decides only this parameter. cfn-lint follows the conditions of the others, and `make lint` lints the
# template without gradual deployments.
def test_the_translated_template_lints_clean_with_its_conditions(model: dict[str, Any]) -> None:
    translated = translate(model, GradualDeployment="true")
    # The translation has decided the switch, so that one side of each choice by it is never taken.
    translated["Parameters"]["GradualDeployment"] |= {"Default": "true", "AllowedValues": ["true"]}
    assert [match for match in findings(translated) if "condition 'DeploysGradually' to False" not in match] == []


def of(resources: dict[str, dict[str, Any]], resource_type: str) -> set[str]:
    return {name for name, resource in resources.items() if resource["Type"] == resource_type}


def test_the_default_has_one_alarm_no_dashboard_no_topic_and_no_codedeploy(model: dict[str, Any]) -> None:
    resources = deployed(model)["Resources"]
    assert of(resources, "AWS::CloudWatch::Alarm") == {"DeadLetterAlarm"}
    assert resources["DeadLetterAlarm"]["Properties"]["AlarmActions"] == []
    types = {resource["Type"] for resource in resources.values()}
    assert not any(t.startswith(("AWS::SNS", "AWS::CodeDeploy", "AWS::ApplicationAutoScaling")) for t in types)
    assert "AWS::CloudWatch::Dashboard" not in types


def test_an_address_makes_a_topic_and_every_alarm_tells_it_on_and_off(model: dict[str, Any]) -> None:
    resources = deployed(model, AlarmEmail="on-call@example.com")["Resources"]
    alarms = of(resources, "AWS::CloudWatch::Alarm")
    # Of each stage, but for the last, which hands nothing on; of the letters, the table, other services, the records
    # and the warm instances.
    assert len(alarms) == 6 * len(STAGES) - 1 + 3 + 3 + 1 + 1 + 1
    for name in alarms:
        properties = resources[name]["Properties"]
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmTopic"}], name
    told = {"TopicArn": {"Ref": "AlarmTopic"}, "Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}
    assert resources["AlarmSubscription"]["Properties"] == told
    assert "KmsMasterKeyId" not in resources["AlarmTopic"]["Properties"]


def test_an_existing_topic_is_told_and_none_is_made(model: dict[str, Any]) -> None:
    resources = deployed(model, AlarmTopicArn="arn:aws:sns:us-east-1:123456789012:alarms")["Resources"]
    assert resources["TableErrorsAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]
    assert of(resources, "AWS::SNS::Topic") == set()


def test_a_gradual_deployment_is_rolled_back_by_the_alarms_of_each_function(model: dict[str, Any]) -> None:
    resources = deployed(model, GradualDeployment="true", DeploymentType="Linear10PercentEvery1Minute")["Resources"]
    groups = of(resources, "AWS::CodeDeploy::DeploymentGroup")
    assert groups == {f"{stage}FunctionDeploymentGroup" for stage in STAGES}
    for name in groups:
        properties = resources[name]["Properties"]
        stage = name.removesuffix("FunctionDeploymentGroup")
        kinds = ("Failures", "LostResults") if following(stage) else ("Failures",)
        alarms = [{"Name": {"Ref": f"{stage}{kind}Alarm"}} for kind in kinds]
        assert properties["AlarmConfiguration"] == {"Enabled": True, "Alarms": alarms}
        assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
        assert resources[f"{stage}FunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]


def test_the_processor_scales_between_the_two_numbers_only_where_the_maximum_is_another(model: dict[str, Any]) -> None:
    scaled = deployed(model, ProcessorProvisionedConcurrencyMaximum=10)["Resources"]
    assert scaled["ProcessorScalableTarget"]["DependsOn"] == "ProcessorFunctionAliaslive"
    target = scaled["ProcessorScalableTarget"]["Properties"]
    assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
    assert target["ResourceId"] == {"Fn::Join": [":", ["function", {"Ref": "ProcessorFunction"}, "live"]]}
    warm, most = "ProcessorProvisionedConcurrency", "ProcessorProvisionedConcurrencyMaximum"
    assert (target["MinCapacity"], target["MaxCapacity"]) == ({"Ref": warm}, {"Ref": most})
    for off in ({}, {most: 2}, {warm: 0, most: 9}):
        assert of(deployed(model, **off)["Resources"], "AWS::ApplicationAutoScaling::ScalableTarget") == set(), off


def key_of(properties: dict[str, Any]) -> Any:
    """Give the key that a resource is encrypted with, by whatever name its type calls it."""
    named = {**properties, **properties.get("SSESpecification", {})}
    names = ("KmsMasterKeyId", "KmsKeyId", "KmsKeyArn", "KMSMasterKeyId")
    return next((named[name] for name in names if name in named), None)


def test_the_key_encrypts_everything_and_each_role_may_use_it(model: dict[str, Any]) -> None:
    resources = deployed(model, KmsKeyArn=KEY, AlarmEmail="on-call@example.com")["Resources"]
    key = {"Ref": "KmsKeyArn"}
    types = ("DynamoDB::Table", "SQS::Queue", "SNS::Topic", "Logs::LogGroup", "Lambda::Function")
    names = {name for kind in types for name in of(resources, f"AWS::{kind}")}
    encrypted = {name: key_of(resources[name]["Properties"]) for name in names}
    assert len(encrypted) == 3 + 2 * len(STAGES)
    assert encrypted == dict.fromkeys(encrypted, key)
    assert "SqsManagedSseEnabled" not in resources["DeadLetterQueue"]["Properties"]
    for stage in STAGES:
        statements = resources[f"{stage}Policy"]["Properties"]["PolicyDocument"]["Statement"]
        through = [
            service["Fn::Sub"].partition(".")[0]
            for statement in statements
            if statement["Resource"] == [key]
            for service in statement["Condition"]["StringLike"]["kms:ViaService"]
        ]
        writes = any("dynamodb:PutItem" in statement["Action"] for statement in statements)
        assert through == ["lambda", "sqs", *(["dynamodb"] if writes else [])], stage


def test_without_a_key_no_role_may_use_any(model: dict[str, Any]) -> None:
    assert "kms:" not in json.dumps(deployed(model)["Resources"])


def test_the_table_is_protected_and_the_concurrency_reserved_when_asked(model: dict[str, Any]) -> None:
    off, on = deployed(model)["Resources"], deployed(model, ProtectData="true", ReservedConcurrency=10)["Resources"]
    assert off["DataTable"]["Properties"]["DeletionProtectionEnabled"] is False
    assert on["DataTable"]["Properties"]["DeletionProtectionEnabled"] is True
    for stage in STAGES:
        assert "ReservedConcurrentExecutions" not in off[f"{stage}Function"]["Properties"]
        assert on[f"{stage}Function"]["Properties"]["ReservedConcurrentExecutions"] == {"Ref": "ReservedConcurrency"}


@pytest.mark.parametrize("for_all", [0, 10])
def test_a_cap_of_the_processor_alone_goes_before_the_cap_of_all(model: dict[str, Any], for_all: int) -> None:
    resources = deployed(model, ProcessorReservedConcurrency=20, ReservedConcurrency=for_all)["Resources"]
    reserved = {
        stage: resources[f"{stage}Function"]["Properties"].get("ReservedConcurrentExecutions") for stage in STAGES
    }
    others = {"Ref": "ReservedConcurrency"} if for_all else None
    assert reserved == {**dict.fromkeys(STAGES, others), "Processor": {"Ref": "ProcessorReservedConcurrency"}}
