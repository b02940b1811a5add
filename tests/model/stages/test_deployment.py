"""How a new version comes to the alias."""

from typing import Any

import pytest

from model import build

from ..translation import of_type, translate


@pytest.fixture(scope="module")
def gradual() -> dict[str, Any]:
    return translate(build().to_dict(), GradualDeployment="true")


def test_codedeploy_shifts_traffic_by_the_role_of_the_stack_alone(gradual: dict[str, Any]) -> None:
    groups = of_type(gradual, "AWS::CodeDeploy::DeploymentGroup").values()
    own = {"Fn::If": ["DeploysGradually", {"Fn::GetAtt": ["DeploymentRole", "Arn"]}, {"Ref": "AWS::NoValue"}]}
    assert [group["ServiceRoleArn"] for group in groups] == [own] * len(groups)
    assert "CodeDeployServiceRole" not in gradual["Resources"]


def test_codedeploys_role_is_assumed_by_it_alone_and_has_the_policy_of_aws_for_it(gradual: dict[str, Any]) -> None:
    role = of_type(gradual, "AWS::IAM::Role")["DeploymentRole"]
    assert gradual["Resources"]["DeploymentRole"]["Condition"] == "DeploysGradually"
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {
        **{"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": ["sts:AssumeRole"]},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    (policy,) = role["ManagedPolicyArns"]
    assert policy["Fn::Sub"].endswith(":iam::aws:policy/service-role/AWSCodeDeployRoleForLambda")


def test_every_role_is_within_the_boundary_where_there_is_one(gradual: dict[str, Any]) -> None:
    roles = of_type(gradual, "AWS::IAM::Role")
    assert len(roles) >= 4
    bound = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, role in roles.items() if role.get("PermissionsBoundary") != bound} == set()
