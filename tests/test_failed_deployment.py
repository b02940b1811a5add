"""A first deployment that fails ends in a state from which the same command deploys again."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from pipeline.local.embedded.environment import for_tools

from .deployed import ROOT, DeployedStack

TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
  Function:
    Type: AWS::Lambda::Function
    DependsOn: Table
    Properties: {{Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {{ZipFile: pass}}{more}}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}
"""
REFUSED = ", DeadLetterConfig: {TargetArn: !Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:none'}"


OWN = {"stack_name", "s3_prefix", "parameter_overrides", "max_wait_duration"}
"""The settings of a deployment in which the environments differ."""


def deploy(stack: DeployedStack, template: Path) -> subprocess.CompletedProcess[str]:
    options = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(template), "--region", "us-east-1"]
    return subprocess.run(
        [sys.executable, "-m", "samcli", "deploy", "--no-confirm-changeset", *options, "--stack-name", "first"],
        cwd=ROOT,
        env=for_tools(stack.aws.environment, stack.aws.workspace.folder("tmp")),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_first_deployment_that_failed_is_deployed_again_by_the_same_command(
    deployed_stack: DeployedStack, tmp_path: Path
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.format(more=REFUSED))
    failed = deploy(deployed_stack, template)
    assert failed.returncode == 1
    assert "ROLLBACK_COMPLETE" in failed.stdout + failed.stderr  # which AWS lets nobody deploy to
    with pytest.raises(ClientError, match="does not exist"):
        deployed_stack.client("cloudformation").describe_stacks(StackName="first")
    template.write_text(TEMPLATE.format(more=""))
    mended = deploy(deployed_stack, template)
    assert mended.returncode == 0, mended.stdout + mended.stderr


def test_every_environment_is_deployed_alike_and_waits_as_long_as_its_aliases_take_to_shift() -> None:
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())
    longest = {"default": 60, "staging": 3 * 10, "prod": 3 * 100}  # minutes; of any DeploymentType for prod
    alike = {name: value for name, value in environments["default"]["deploy"]["parameters"].items() if name not in OWN}
    for environment, minutes in longest.items():
        settings = environments[environment]["deploy"]["parameters"]
        assert settings["on_failure"] == "DELETE"
        assert {name: value for name, value in settings.items() if name not in OWN} == alike
        assert settings.get("max_wait_duration", 60) >= minutes
