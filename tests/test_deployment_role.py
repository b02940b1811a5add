"""The deployment role by a policy engine: it can deploy what the template holds, of one project and environment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.decode import decode_str

from model.project import NAME

from .deployed import DeployedStack
from .model.resolution import resolve
from .model.translation import translate
from .own.pipeline import build

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, REGION, KEY = "123456789012", "eu-central-1", "arn:aws:kms:eu-central-1:123456789012:key/one"
GIVEN = {
    "Repository": "example/orders",
    "Branch": "main",
    "Environment": "prod",
    "ProjectName": NAME,
    "ProviderArn": "",
    "KmsKeyArn": KEY,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "Boundary": f"arn:aws:iam::{ACCOUNT}:policy/{NAME}-boundary-prod",
}
STACK = f"{NAME}-prod"
EVERYTHING = {
    "EnvironmentSuffix": "prod",
    "ProcessorProvisionedConcurrency": 2,
    "ProcessorProvisionedConcurrencyMaximum": 5,
    "ReservedConcurrency": 10,
    "GradualDeployment": "true",
    "AlarmEmail": "on-call@example.com",
    "KmsKeyArn": KEY,
    "PermissionsBoundaryArn": GIVEN["Boundary"],
    "FilesBucket": "true",
}

# What CloudFormation calls for a resource of each type, when it makes, changes, reads and removes it, from the types'
# schemas: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
TAKEN = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "application-autoscaling: RegisterScalableTarget "
    "DescribeScalableTargets DeregisterScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "application-autoscaling: PutScalingPolicy DescribeScalingPolicies "
    "DeleteScalingPolicy",
    "AWS::CloudWatch::Alarm": "cloudwatch: PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource "
    "ListTagsForResource",
    "AWS::CloudWatch::Dashboard": "cloudwatch: PutDashboard GetDashboard DeleteDashboards",
    "AWS::CodeDeploy::Application": "codedeploy: CreateApplication GetApplication DeleteApplication TagResource",
    "AWS::CodeDeploy::DeploymentGroup": "codedeploy: CreateDeploymentGroup GetDeploymentGroup UpdateDeploymentGroup "
    "DeleteDeploymentGroup CreateDeployment GetDeployment StopDeployment",
    "AWS::DynamoDB::Table": "dynamodb: CreateTable DescribeTable UpdateTable DeleteTable UpdateContinuousBackups "
    "DescribeContinuousBackups DescribeTimeToLive TagResource UntagResource ListTagsOfResource",
    "AWS::Events::Rule": "events: PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule "
    "TagResource UntagResource ListTagsForResource",
    "AWS::IAM::ManagedPolicy": "iam: CreatePolicy GetPolicy GetPolicyVersion CreatePolicyVersion DeletePolicyVersion "
    "ListPolicyVersions DeletePolicy",
    "AWS::IAM::Role": "iam: CreateRole GetRole DeleteRole UpdateRole UpdateAssumeRolePolicy AttachRolePolicy "
    "DetachRolePolicy ListAttachedRolePolicies ListRolePolicies TagRole UntagRole PassRole",
    "AWS::Lambda::Alias": "lambda: CreateAlias GetAlias UpdateAlias DeleteAlias PutProvisionedConcurrencyConfig "
    "GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig",
    "AWS::Lambda::EventInvokeConfig": "lambda: PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig "
    "UpdateFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig",
    "AWS::Lambda::Function": "lambda: CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration "
    "DeleteFunction PutFunctionConcurrency DeleteFunctionConcurrency TagResource UntagResource ListTags",
    "AWS::Lambda::Permission": "lambda: AddPermission GetPolicy RemovePermission",
    "AWS::Lambda::Version": "lambda: PublishVersion ListVersionsByFunction GetFunctionConfiguration DeleteFunction",
    "AWS::Logs::LogGroup": "logs: CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy TagResource "
    "DeleteRetentionPolicy AssociateKmsKey DisassociateKmsKey ListTagsForResource UntagResource",
    "AWS::Logs::MetricFilter": "logs: PutMetricFilter DescribeMetricFilters DeleteMetricFilter",
    "AWS::S3::Bucket": "s3: CreateBucket DeleteBucket PutBucketTagging GetBucketTagging PutEncryptionConfiguration "
    "GetEncryptionConfiguration PutBucketPublicAccessBlock GetBucketPublicAccessBlock PutBucketOwnershipControls "
    "GetBucketOwnershipControls PutBucketVersioning GetBucketVersioning PutLifecycleConfiguration "
    "GetLifecycleConfiguration PutBucketNotification GetBucketNotification ListBucket",
    "AWS::S3::BucketPolicy": "s3: PutBucketPolicy GetBucketPolicy DeleteBucketPolicy",
    "AWS::SNS::Subscription": "sns: Subscribe Unsubscribe GetSubscriptionAttributes ListSubscriptionsByTopic",
    "AWS::SNS::Topic": "sns: CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic TagResource",
    "AWS::SNS::TopicPolicy": "sns: SetTopicAttributes GetTopicAttributes",
    "AWS::SQS::Queue": "sqs: CreateQueue GetQueueAttributes SetQueueAttributes DeleteQueue TagQueue ListQueueTags",
    "AWS::SQS::QueuePolicy": "sqs: SetQueueAttributes GetQueueAttributes",
}
# What may be done to anything, since AWS knows no resource for it.
ANYWHERE = re.compile(r"application-autoscaling:|cloudwatch:DescribeAlarms|logs:DescribeLogGroups")
CONTEXT = {
    "iam:PermissionsBoundary": GIVEN["Boundary"],
    "iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-ValidatorPolicy-ABC",
    "iam:PassedToService": "lambda.amazonaws.com",
    "iam:AWSServiceName": "lambda.application-autoscaling.amazonaws.com",
}


def document() -> dict[str, Any]:
    """The role's template, decided for one environment."""
    text = (ROOT / ".github/deployment-role.yaml").read_text()
    decoded, problems = decode_str(text)
    assert not problems
    return resolve(json.loads(json.dumps(decoded)), GIVEN)


def filled(value: Any) -> Any:
    """Put in what a template's substitutions and references stand for."""
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)\}", lambda match: GIVEN[match[1]], text)
        case {"Ref": str(name)}:
            return GIVEN[name]
        case dict():
            return {key: filled(item) for key, item in value.items()}
        case list():
            return [filled(item) for item in value]
    return value


@pytest.fixture(scope="module")
def policies() -> dict[str, str]:
    resources = document()["Resources"]
    return {
        name: json.dumps(filled(resource["Properties"]["PolicyDocument"]))
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }


# What they are about: named by the template or, where that gives no name, by CloudFormation.
FUNCTION = "arn:aws:lambda:{here}:function:{project}-a-{suffix}"
READER = "arn:aws:lambda:{here}:function:{project}-reader-{suffix}"
BUCKET = "arn:aws:s3:::{stack}-filesstorage-abc123"
GROUP = "arn:aws:logs:{here}:log-group:/aws/lambda/{project}-a-{suffix}"
PLACES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("*",),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("*",),
    "AWS::CloudWatch::Alarm": ("arn:aws:cloudwatch:{here}:alarm:{AlarmName}",),
    "AWS::CloudWatch::Dashboard": ("arn:aws:cloudwatch::{account}:dashboard/{DashboardName}",),
    "AWS::CodeDeploy::Application": ("arn:aws:codedeploy:{here}:application:{made}",),
    "AWS::CodeDeploy::DeploymentGroup": ("arn:aws:codedeploy:{here}:deploymentgroup:{made}/{made}",),
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb:{here}:table/{made}",),
    "AWS::Events::Rule": ("arn:aws:events:{here}:rule/{made}",),
    "AWS::IAM::ManagedPolicy": ("arn:aws:iam::{account}:policy/{made}",),
    "AWS::IAM::Role": ("arn:aws:iam::{account}:role/{made}",),
    "AWS::Lambda::Alias": (FUNCTION, f"{FUNCTION}:live"),
    "AWS::Lambda::EventInvokeConfig": (FUNCTION, f"{FUNCTION}:live"),
    "AWS::Lambda::Function": ("arn:aws:lambda:{here}:function:{FunctionName}",),
    "AWS::Lambda::Permission": (READER, f"{READER}:live"),
    "AWS::Lambda::Version": (FUNCTION, f"{FUNCTION}:7"),
    "AWS::Logs::LogGroup": (GROUP, f"{GROUP}:*"),
    "AWS::Logs::MetricFilter": (GROUP, f"{GROUP}:*"),
    "AWS::S3::Bucket": (BUCKET,),
    "AWS::S3::BucketPolicy": (BUCKET,),
    "AWS::SNS::Subscription": ("arn:aws:sns:{here}:{made}",),
    "AWS::SNS::Topic": ("arn:aws:sns:{here}:{made}",),
    "AWS::SNS::TopicPolicy": ("arn:aws:sns:{here}:{made}",),
    "AWS::SQS::Queue": ("arn:aws:sqs:{here}:{made}",),
    "AWS::SQS::QueuePolicy": ("arn:aws:sqs:{here}:{made}",),
}


def arns(resource_type: str, logical_id: str, properties: dict[str, Any], stack: str) -> Iterator[str]:
    project, _, suffix = stack.rpartition("-")
    names = {
        key: value["Fn::Sub"].replace("${EnvironmentSuffix}", suffix).replace(NAME, project)
        for key, value in properties.items()
        if key in ("AlarmName", "DashboardName", "FunctionName") and isinstance(value.get("Fn::Sub"), str)
    }
    for place in PLACES[resource_type]:
        yield place.format(
            **names,
            here=f"{REGION}:{ACCOUNT}",
            account=ACCOUNT,
            project=project,
            suffix=suffix,
            made=f"{stack}-{logical_id}-ABC123",
            stack=stack,
        )


def calls(stack: str, template: dict[str, Any] | None = None) -> dict[str, set[str]]:
    """Every call for every resource of a template with all that there is: the actions by the ARN."""
    resources = resolve(translate(template or build().to_dict(), **EVERYTHING), EVERYTHING)["Resources"]
    found: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        service, *names = TAKEN[resource["Type"]].split()
        for arn in arns(resource["Type"], logical_id, resource.get("Properties", {}), stack):
            found.setdefault(arn, set()).update(service + name for name in names)
    return found


def under(context: dict[str, str], policy: str) -> str:
    """Decide a policy's conditions, which the engine's simulator leaves out of account."""
    decided = json.loads(policy)
    decided["Statement"] = [
        {**statement, "Condition": {}}
        for statement in decided["Statement"]
        if all(
            any(fnmatchcase(context[key], value) for value in ([values] if isinstance(values, str) else values))
            for operator in statement.get("Condition", {}).values()
            for key, values in operator.items()
        )
    ]
    return json.dumps(decided)


@pytest.fixture(scope="module")
def allowed(deployed_stack: DeployedStack, policies: dict[str, str]) -> Any:
    """Ask the engine which of some actions on a resource the role's policies allow."""
    iam = deployed_stack.client("iam")

    def ask(arn: str, actions: set[str], **context: str) -> set[str]:
        answer = iam.simulate_custom_policy(
            PolicyInputList=[
                under({**CONTEXT, **context}, policies[name]) for name in ("Stack", "Functions", "Files", "Identities")
            ],
            ActionNames=sorted(actions),
            ResourceArns=[arn],
        )["EvaluationResults"]
        assert len(answer) == len(actions)
        return {one["EvalActionName"] for one in answer if one["EvalDecision"] == "allowed"}

    return ask


def test_every_call_that_cloudformation_makes_for_the_template_is_allowed(allowed: Any) -> None:
    wanted = calls(STACK)
    assert len(wanted) > 40
    denied = {arn: actions - allowed(arn, actions) for arn, actions in wanted.items()}
    assert {arn: actions for arn, actions in denied.items() if actions} == {}


@pytest.mark.parametrize("other", [f"{NAME}-staging", "billing-prod"])
def test_nothing_is_allowed_on_the_same_of_another_environment_or_project(allowed: Any, other: str) -> None:
    wanted = {arn: {action for action in of if not ANYWHERE.match(action)} for arn, of in calls(other).items()}
    granted = {arn: allowed(arn, actions) for arn, actions in wanted.items() if actions}
    assert len(granted) > 40
    assert {arn: actions for arn, actions in granted.items() if actions} == {}


@pytest.mark.parametrize(
    ("action", "context"),
    [
        ("iam:CreateRole", {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("iam:AttachRolePolicy", {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("iam:PassRole", {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("iam:DeleteRolePermissionsBoundary", {}),
    ],
)
def test_no_role_gets_beyond_the_boundary(allowed: Any, action: str, context: dict[str, str]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{STACK}-ValidatorRole-ABC"
    assert allowed(role, {action}, **context) == set()


def test_the_boundary_itself_and_the_role_are_out_of_reach(allowed: Any) -> None:
    change = {"iam:CreatePolicyVersion", "iam:DeletePolicy"}
    assert allowed(GIVEN["Boundary"], change) == set()
    own = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-deployment-prod"
    assert allowed(own, {"iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole"}) == set()


def test_the_boundary_allows_whatever_the_stages_policies_do(policies: dict[str, str]) -> None:
    """Action by action: what is on which resource is the policies' own business."""
    bounds = {action for statement in json.loads(policies["Boundary"])["Statement"] for action in listed(statement)}
    resources = resolve(translate(build().to_dict(), **EVERYTHING), EVERYTHING)["Resources"].values()
    documents = [r["Properties"]["PolicyDocument"] for r in resources if r["Type"] == "AWS::IAM::ManagedPolicy"]
    used = {action for d in documents for statement in d["Statement"] for action in listed(statement)}
    assert len(used) >= 8
    assert used - bounds == set()


def test_no_policy_is_longer_than_iam_takes(policies: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space does not count
    lengths = {name: len(json.dumps(json.loads(text), separators=(",", ":"))) for name, text in policies.items()}
    assert max(lengths.values()) <= 6144, lengths


def listed(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else list(actions)


def test_the_role_trusts_one_environment_and_branch_of_one_repository() -> None:
    role = document()["Resources"]["Role"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    host = "token.actions.githubusercontent.com"
    assert filled(trust["Condition"]) == {
        "StringEquals": {
            f"{host}:aud": "sts.amazonaws.com",
            f"{host}:sub": "repo:example/orders:environment:prod:ref:refs/heads/main",
        }
    }


def test_the_session_lasts_as_long_as_the_job() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    role = document()["Resources"]["Role"]["Properties"]
    assert role["MaxSessionDuration"] == workflow["jobs"]["deploy"]["timeout-minutes"] * 60
