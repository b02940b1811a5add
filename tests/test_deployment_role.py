"""The deployment role by a policy engine: it can deploy what the template holds, of one project and environment."""

import json
import re
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
from .needed_rights import ACCOUNT, ARNS, KEY, ONLY_FOR, REGION, arns, filled, listed, needed, schema
from .own.pipeline import build

ROOT = Path(__file__).resolve().parent.parent
GIVEN = {
    **{"SubjectPrefix": "repo:example@123/orders@456", "Branch": "main", "Environment": "prod", "ProjectName": NAME},
    **{"ProviderArn": "", "KmsKeyArn": KEY, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"},
    "Boundary": f"arn:aws:iam::{ACCOUNT}:policy/{NAME}-boundary-prod",
}
STACK = f"{NAME}-prod"
EVERYTHING = {
    **{"EnvironmentSuffix": "prod", "KmsKeyArn": KEY, "PermissionsBoundaryArn": GIVEN["Boundary"]},
    **{"ProcessorProvisionedConcurrency": 2, "ProcessorProvisionedConcurrencyMaximum": 5, "ReservedConcurrency": 10},
    **{"GradualDeployment": "true", "AlarmEmail": "on-call@example.com", "FilesBucket": "true"},
}

# What is called beside what CloudFormation calls for the resources: by the SAM CLI, the workflow and the runbook.
OF_THE_STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{{stack}}/0123abcd"
OF_THE_CLI = "aws-sam-cli-managed-default"
BESIDE = {
    OF_THE_STACK: "cloudformation: CreateChangeSet DescribeChangeSet DescribeStackEvents DescribeStacks "
    "ExecuteChangeSet GetTemplateSummary ContinueUpdateRollback DeleteStack RollbackStack "
    "GetTemplate ListStackResources",
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{project}}-validator-{{environment}}": "lambda: ListAliases "
    "GetFunctionConcurrency ListVersionsByFunction",
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{project}}-validator-{{environment}}:live": "lambda: InvokeFunction "
    "GetFunctionEventInvokeConfig",
    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{{project}}-validator-{{environment}}:log-stream:": "logs: "
    "FilterLogEvents",
    f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{stack}}-DataTable-ABC": "dynamodb: DeleteItem Query",
    f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{stack}}-DeadLetterQueue-ABC": "sqs: GetQueueAttributes",
    f"arn:aws:cloudformation:{REGION}:aws:transform/Serverless-2016-10-31": "cloudformation: CreateChangeSet",
    f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{OF_THE_CLI}/0123abcd": "cloudformation: DescribeStacks",
    f"arn:aws:s3:::{OF_THE_CLI}-samclisourcebucket-abc123": "s3: ListBucket",
    f"arn:aws:s3:::{OF_THE_CLI}-samclisourcebucket-abc123/{{stack}}/0123abcd": "s3: GetObject PutObject",
    "*": "lambda: GetAccountSettings cloudwatch:DescribeAlarms cloudwatch:GetMetricStatistics",
}
# What says nothing of a stack: the account's lists, and what AWS numbers by itself.
ANYWHERE = re.compile(
    rf"\*|{KEY}|.*:scalable-target/.*|.*:role/aws-service-role/.*|.*:deploymentconfig:.*|.*:aws:transform/.*"
    rf"|.*:event-source-mapping:.*|.*:stack/{OF_THE_CLI}/.*|arn:aws:s3:::{OF_THE_CLI}[^/]*"
)
CONTEXT = {
    "dynamodb:LeadingKeys": "smoke-1",
    "iam:PermissionsBoundary": GIVEN["Boundary"],
    "iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/{STACK}/{STACK}-ValidatorPolicy-ABC",
    "iam:PassedToService": "lambda.amazonaws.com",
    "iam:AWSServiceName": "lambda.application-autoscaling.amazonaws.com",
    "kms:GrantIsForAWSResource": "true",
    "lambda:FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}-reader-prod:live",
    "kms:ViaService": f"dynamodb.{REGION}.amazonaws.com",
    "s3:ResourceAccount": ACCOUNT,
}


def document() -> dict[str, Any]:
    """The role's template, decided for one environment."""
    text = (ROOT / ".github/deployment-role.yaml").read_text()
    decoded, problems = decode_str(text)
    assert not problems
    return resolve(json.loads(json.dumps(decoded)), GIVEN)


def put_in(value: Any) -> Any:
    """Put in what a template's substitutions and references stand for."""
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)\}", lambda match: GIVEN[match[1]], text)
        case {"Ref": str(name)}:
            return GIVEN[name]
        case dict():
            return {key: put_in(item) for key, item in value.items()}
        case list():
            return [put_in(item) for item in value]
    return value


@pytest.fixture(scope="module")
def policies() -> dict[str, str]:
    resources = document()["Resources"]
    return {
        name: json.dumps(put_in(resource["Properties"]["PolicyDocument"]))
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }


def resources(template: dict[str, Any]) -> dict[str, Any]:
    decided: dict[str, Any] = resolve(translate(template, **EVERYTHING), EVERYTHING)["Resources"]
    return decided


def calls(stack: str, template: dict[str, Any]) -> dict[str, set[str]]:
    """Return every call for a stack, CloudFormation's and all others: the actions by the ARN."""
    found = needed(resources(template), stack)
    for arn, calls in BESIDE.items():
        service, *names = calls.split()
        project, _, environment = stack.rpartition("-")
        named = arn.format(stack=stack, project=project, environment=environment)
        found.setdefault(named, set()).update(name if ":" in name else service + name for name in names)
    return found


def under(context: dict[str, str], policy: str) -> str:
    """Decide a policy's conditions, which the engine's simulator leaves out of account."""
    decided = json.loads(policy)
    decided["Statement"] = [
        {**statement, "Condition": {}}
        for statement in decided["Statement"]
        if all(
            any(fnmatchcase(context.get(key, ""), value) for value in ([values] if isinstance(values, str) else values))
            for operator in statement.get("Condition", {}).values()
            for key, values in operator.items()
        )
    ]
    return json.dumps(decided)


OF_THE_ROLE = ("Stack", "Functions", "Data", "Others", "Identities", "Questions")


@pytest.fixture(scope="module")
def allowed(deployed_stack: DeployedStack, policies: dict[str, str]) -> Any:
    """Ask the engine which of some actions on a resource some policies allow, by default all of the role's."""
    iam = deployed_stack.client("iam")

    def ask(arn: str, actions: set[str], of: tuple[str, ...] = OF_THE_ROLE, **context: str) -> set[str]:
        answer = iam.simulate_custom_policy(
            PolicyInputList=[under({**CONTEXT, **context}, policies[name]) for name in of],
            ActionNames=sorted(actions),
            ResourceArns=[arn],
        )["EvaluationResults"]
        assert len(answer) == len(actions)
        return {one["EvalActionName"] for one in answer if one["EvalDecision"] == "allowed"}

    return ask


def test_what_is_left_out_of_account_is_for_nothing_that_the_template_sets() -> None:
    made = resources(build().to_dict()).values()
    types = {resource["Type"] for resource in made}
    for resource_type, reasons in ONLY_FOR.items():
        of_type = [resource.get("Properties", {}) for resource in made if resource["Type"] == resource_type]
        for reason, actions in reasons.items():
            assert set(actions.split()) <= listed(resource_type), f"{resource_type} lists no longer all of {actions}"
            if "::" in reason:
                assert reason not in types
            else:
                assert reason in schema(resource_type)["properties"]
                assert not any(reason in properties for properties in of_type), f"{reason} needs {actions}"


def test_every_call_for_the_stack_is_allowed(allowed: Any) -> None:
    wanted = calls(STACK, build().to_dict())
    assert len(wanted) > 40
    denied = {arn: actions - allowed(arn, actions) for arn, actions in wanted.items()}
    assert {arn: actions for arn, actions in denied.items() if actions} == {}


def test_every_action_of_the_role_is_called(policies: dict[str, str]) -> None:
    """On something that the statement names, so that a resource that nothing is called on is found as well."""
    wanted = calls(STACK, build().to_dict())
    statements = [s for name in OF_THE_ROLE for s in json.loads(policies[name])["Statement"]]
    of_the_role = [(a, r) for s in statements for a in several(s["Action"]) for r in [several(s["Resource"])]]
    assert len(of_the_role) > 150
    called = {(action, arn) for arn, actions in wanted.items() for action in actions}
    idle = [
        (action, named)
        for action, named in of_the_role
        if not any(action == done and fnmatchcase(arn, pattern) for done, arn in called for pattern in named)
    ]
    assert idle == []


@pytest.mark.parametrize("other", [f"{NAME}-staging", f"{NAME}-prod2", "billing-prod"])
def test_nothing_is_allowed_on_the_same_of_another_environment_or_project(allowed: Any, other: str) -> None:
    wanted = {arn: actions for arn, actions in calls(other, build().to_dict()).items() if not ANYWHERE.fullmatch(arn)}
    granted = {arn: allowed(arn, actions) for arn, actions in wanted.items()}
    assert len(granted) > 40
    assert {arn: actions for arn, actions in granted.items() if actions} == {}


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
OWN = f"{ROLES}/{STACK}/{STACK}-ValidatorRole-ABC"


@pytest.mark.parametrize(
    ("action", "context"),
    [
        *(("iam:CreateRole", {"iam:PermissionsBoundary": other}) for other in (ADMINISTRATOR, "")),
        ("iam:AttachRolePolicy", {"iam:PermissionsBoundary": ""}),
        ("iam:AttachRolePolicy", {"iam:PolicyARN": ADMINISTRATOR}),
        ("iam:PassRole", {"iam:PassedToService": "ec2.amazonaws.com"}),
        *((action, {}) for action in ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePolicy")),
    ],
)
def test_no_role_gets_beyond_the_boundary(allowed: Any, action: str, context: dict[str, str]) -> None:
    assert allowed(OWN, {action}, **context) == set()


def test_roles_and_policies_of_the_same_name_that_somebody_else_made_are_out_of_reach(allowed: Any) -> None:
    """What is made with the boundary has the stack's path; nothing else of that name has."""
    change = {"iam:AttachRolePolicy", "iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePermissionsBoundary"}
    assert allowed(OWN, change) == change
    for other in (f"{STACK}-admin", f"other/{STACK}-admin", f"{NAME}-deployment-prod"):
        assert allowed(f"{ROLES}/{other}", change) == set()
    change = {"iam:CreatePolicyVersion", "iam:DeletePolicy"}
    for policy in (f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-ValidatorPolicy-ABC", GIVEN["Boundary"]):
        assert allowed(policy, change) == set()


@pytest.mark.parametrize(
    ("policy", "arn", "actions", "context"),
    [
        ("Data", KEY, "kms:CreateGrant kms:RevokeGrant", {"kms:GrantIsForAWSResource": "false"}),
        ("Data", KEY, "kms:Decrypt kms:Encrypt kms:GenerateDataKey", {"kms:ViaService": ""}),
        ("Boundary", KEY, "kms:Decrypt kms:GenerateDataKey", {"kms:ViaService": ""}),
        ("Boundary", f"arn:aws:s3:::{STACK}-x/y", "s3:GetObject s3:PutObject", {"s3:ResourceAccount": "999999999999"}),
        ("Data", f"arn:aws:s3:::{STACK}-x", "s3:PutBucketPolicy", {"s3:ResourceAccount": "999999999999"}),
        ("Stack", f"arn:aws:s3:::{OF_THE_CLI}-x/{STACK}/y", "s3:PutObject", {"s3:ResourceAccount": "999999999999"}),
        ("Functions", f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:0123abcd",
         "lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping lambda:UpdateEventSourceMapping",
         {"lambda:FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}-reader-staging:live"}),
    ],
)  # fmt: skip
def test_a_condition_holds_what_the_resource_does_not_tell(
    allowed: Any, policy: str, arn: str, actions: str, context: dict[str, str]
) -> None:
    asked = set(actions.split())
    assert allowed(arn, asked, of=(policy,)) == asked
    assert allowed(arn, asked, of=(policy,), **context) == set()


# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForLambda.html
CODE_DEPLOY = (
    *("lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"),
    "cloudwatch:DescribeAlarms",
)


def test_the_boundary_allows_what_codedeploy_does_on_what_aws_judges_it_by(allowed: Any) -> None:
    for action in CODE_DEPLOY:
        for arn in arns(action, "AWS::Lambda::Alias"):
            on = filled(arn, "", {"Type": "AWS::Lambda::Alias"}, STACK)
            assert allowed(on, {action}, of=("Boundary",)) == {action}, on


def test_the_boundary_allows_whatever_the_stages_policies_do(allowed: Any) -> None:
    made = resources(build().to_dict())
    documents = [r["Properties"]["PolicyDocument"] for r in made.values() if r["Type"] == "AWS::IAM::ManagedPolicy"]
    statements = [statement for document in documents for statement in document["Statement"]]
    assert len(statements) >= 12
    for statement in statements:
        actions = set(several(statement["Action"]))
        for resource in several(statement["Resource"]):
            arn = named(resource, made)
            assert allowed(arn, actions, of=("Boundary",)) == actions, arn


def named(resource: Any, made: dict[str, Any]) -> str:
    match resource:
        case "*":
            return "*"
        case {"Ref": "KmsKeyArn"}:
            return KEY
        case {"Ref": str(alias)}:  # a reference to an alias is its ARN
            title, kind, rest = alias.removesuffix("Aliaslive"), "lambda:function alias", ""
        case {"Fn::GetAtt": [str(title), "Arn"]}:
            kind, rest = OF_TYPE[made[title]["Type"]], ""
        case {"Fn::Sub": str(text)}:
            title, _, rest = text.removeprefix("${").partition(".Arn}")
            kind = OF_TYPE[made[title]["Type"]]
    return filled(ARNS[kind][-1], title, made[title], STACK) + rest


OF_TYPE = {
    "AWS::DynamoDB::Table": "dynamodb:table",
    "AWS::Logs::LogGroup": "logs:log-group",
    "AWS::S3::Bucket": "s3:bucket",
    "AWS::SQS::Queue": "sqs:queue",
}


def test_no_policy_is_longer_than_iam_takes(policies: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space does not count
    lengths = {name: len(json.dumps(json.loads(text), separators=(",", ":"))) for name, text in policies.items()}
    assert max(lengths.values()) <= 6144, lengths


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_role_trusts_one_environment_and_branch_of_one_repository() -> None:
    role = document()["Resources"]["Role"]["Properties"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    host = "token.actions.githubusercontent.com"
    assert put_in(trust["Condition"]) == {
        "StringEquals": {
            f"{host}:aud": "sts.amazonaws.com",
            f"{host}:sub": f"{GIVEN['SubjectPrefix']}:environment:prod:ref:refs/heads/main",
        }
    }


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        (
            "SubjectPrefix",
            ["repo:example/orders", "repo:example@123/orders@456", "repo:a-b/c.d_e"],
            ["example/orders", "repo:*/orders", "repo:example/*", "repo:example", "repo:example/orders:ref", ""],
        ),
        ("Environment", ["prod", "a" * 20], ["prod-eu", "Prod", "a" * 21, "", "*"]),
        ("ProjectName", [NAME, "orders"], ["orders-", "Orders", "*", ""]),
    ],
)
def test_the_parameters_take_what_they_say(name: str, taken: list[str], refused: list[str]) -> None:
    pattern = document()["Parameters"][name]["AllowedPattern"]
    assert [value for value in taken if not re.fullmatch(pattern, value)] == []
    assert [value for value in refused if re.fullmatch(pattern, value)] == []


def test_no_environment_is_called_as_the_role_and_the_boundary_are() -> None:
    """In the template as in the role: both make names of the project's, the environment's and one of these words."""
    for template, parameter in ((document(), "Environment"), (build().to_dict(), "EnvironmentSuffix")):
        (rule,) = template["Rules"].values()
        (assertion,) = rule["Assertions"]
        contains = {"Fn::Contains": [["boundary", "deployment"], {"Ref": parameter}]}
        assert assertion["Assert"] == {"Fn::Not": [contains]}


def test_the_session_lasts_as_long_as_the_job() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
    role = document()["Resources"]["Role"]["Properties"]
    assert role["MaxSessionDuration"] == workflow["jobs"]["deploy"]["timeout-minutes"] * 60
