"""AWS's own policies, and actions that AWS does not have."""

from copy import deepcopy
from typing import Any

import pytest

from pipeline.rules.permissions import ManagedByAws
from pipeline.rules.reading import Template
from tests.model.translation import translate

from .linting import edited, found_unexpanded, messages
from .mutation import put
from .templates import template

PLAIN = """
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: index.handler, InlineCode: pass%s}
"""


def test_the_role_that_sam_makes_is_reported_at_its_function() -> None:
    advice = "Function should name a Role of the template, since the role that SAM makes for it has a policy of AWS"
    assert messages(template(PLAIN % ""), "W9156") == [f"{advice} (got AWSLambdaBasicExecutionRole)"]
    assert messages(template(PLAIN % ", Policies: [AWSLambdaBasicExecutionRole, AmazonSQSFullAccess]"), "W9156") == [
        f"{advice} (got AWSLambdaBasicExecutionRole)",
        f"{advice} (got AmazonSQSFullAccess)",
    ]


def test_a_policy_of_aws_can_be_accepted_by_its_name() -> None:
    rule = ManagedByAws()
    read = Template(template(PLAIN % ", Policies: [AmazonSQSFullAccess]"))
    rule.configure({"accepted": ["AWSLambdaBasicExecutionRole"]})
    (fault,) = [fault for role in rule.subjects(read) for fault in rule.faults(role, read)]
    assert fault.message.endswith("(got AmazonSQSFullAccess)")


def test_the_role_that_codedeploy_needs_is_always_accepted(committed: dict[str, Any]) -> None:
    gradual = translate(committed, GradualDeployment="true")
    own, sams = "DeploymentRole", "CodeDeployServiceRole"
    assert own in gradual["Resources"]
    without = deepcopy(committed)
    for body in without["Resources"].values():
        body.get("Properties", {}).get("DeploymentPreference", {}).pop("Role", None)
    by_sam = translate(without, GradualDeployment="true")
    assert sams in by_sam["Resources"]
    assert not found_unexpanded(gradual, "W9156") | found_unexpanded(by_sam, "W9156")


def test_tags_are_asked_of_the_function_not_of_the_role_that_sam_tags_alike() -> None:
    (fault,) = messages(template(PLAIN % ", Tags: {Project: orders}"), "W9161")
    assert fault == "Function should have tags named CostCenter, Environment, ManagedBy (got Project)"


@pytest.mark.parametrize("action", ["dynamodb:putitem", "DynamoDB:Put*", "*", "dynamodb:Put?tem"])
def test_an_action_is_found_in_any_case_and_by_wildcards(committed: dict[str, Any], action: str) -> None:
    path = "ProcessorPolicy.PolicyDocument.Statement.dynamodb:PutItem.Action"
    assert not found_unexpanded(edited(committed, put(path, [action])), "W9157")
