"""Each role by a policy engine: exactly what its stage does is allowed, on exactly the resources it does it to.

The engine is the simulator of the embedded AWS, which is asked for every action that there is on a resource.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from pipeline.local.embedded.environment import REGION
from tests.deployed import STACK_NAME, DeployedStack
from tests.model.built_stages import STAGES, following

# Services of the stack, and others that a function's code has no business with.
SERVICES = {
    *("dynamodb", "sqs", "logs", "lambda", "xray", "sns", "cloudwatch"),
    *("iam", "sts", "kms", "s3", "secretsmanager", "ssm"),
}
ACTIONS = [
    f"{service}:{action}"
    for service, known in load_resource(AdditionalSpecs, "Policies.json").items()
    if service in SERVICES
    for action in known["Actions"]
]
TRACE = {"xray:puttracesegments", "xray:puttelemetryrecords"}  # AWS knows no resource for them
# What each stage does beyond tracing, by action and resource.
DONE = {
    stage: {
        ("logs:createlogstream", f"logs of the {stage}"),
        ("logs:putlogevents", f"logs of the {stage}"),
        ("sqs:sendmessage", "dead letters"),
        *([("lambda:invokefunction", f"alias of the {following(stage)}")] if following(stage) else []),
        *([("dynamodb:putitem", "table"), ("dynamodb:partiqlinsert", "table")] if stage == "Processor" else []),
    }
    for stage in STAGES
}
FOREIGN = "foreign"


class Place(NamedTuple):
    """The deployed stack beside things that are none of its own."""

    stack: DeployedStack
    resources: dict[str, str]
    """Physical ids by logical id."""
    arns: dict[str, str]
    """ARNs by what they are to the stages."""
    roles: dict[str, str]
    """ARNs of the roles, by stage."""
    iam: Any
    """A client with the owner's rights."""


@pytest.fixture(scope="module")
def place(deployed_stack: DeployedStack) -> Iterator[Place]:
    described = deployed_stack.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)
    resources = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in described["StackResources"]}
    iam = deployed_stack.client("iam")
    roles = {stage: iam.get_role(RoleName=resources[f"{stage}Role"])["Role"]["Arn"] for stage in STAGES}
    make_foreign(deployed_stack, roles["Validator"])
    try:
        yield Place(deployed_stack, resources, arns_of(resources, roles), roles, iam)
    finally:
        remove_foreign(deployed_stack)


def make_foreign(stack: DeployedStack, role: str) -> None:
    stack.client("dynamodb").create_table(
        TableName=FOREIGN,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    stack.client("sqs").create_queue(QueueName=FOREIGN)
    stack.client("logs").create_log_group(logGroupName=FOREIGN)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("foreign.py", "def handler(event, context):\n    return event\n")
    stack.client("lambda").create_function(
        FunctionName=FOREIGN,
        Runtime="python3.13",
        Role=role,
        Handler="foreign.handler",
        Code={"ZipFile": code.getvalue()},
    )


def remove_foreign(stack: DeployedStack) -> None:
    stack.client("lambda").delete_function(FunctionName=FOREIGN)
    stack.client("logs").delete_log_group(logGroupName=FOREIGN)
    sqs = stack.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=FOREIGN)["QueueUrl"])
    stack.client("dynamodb").delete_table(TableName=FOREIGN)


def arns_of(resources: dict[str, str], roles: dict[str, str]) -> dict[str, str]:
    account = roles["Validator"].split(":")[4]

    def arn(service: str, name: str) -> str:
        return f"arn:aws:{service}:{REGION}:{account}:{name}"

    queue = resources["DeadLetterQueue"].rpartition("/")[2]
    return {
        "table": arn("dynamodb", f"table/{resources['DataTable']}"),
        "foreign table": arn("dynamodb", f"table/{FOREIGN}"),
        "dead letters": arn("sqs", queue),
        "foreign queue": arn("sqs", FOREIGN),
        **{f"logs of the {s}": arn("logs", f"log-group:{resources[f'{s}LogGroup']}:log-stream:one") for s in STAGES},
        "foreign logs": arn("logs", f"log-group:{FOREIGN}:log-stream:one"),
        **{f"alias of the {s}": arn("lambda", f"function:{resources[f'{s}Function']}:live") for s in STAGES},
        **{f"the {s} past its alias": arn("lambda", f"function:{resources[f'{s}Function']}") for s in STAGES},
        "foreign function": arn("lambda", f"function:{FOREIGN}"),
        **{f"role of the {s}": roles[s] for s in STAGES},
        "everything": "*",
    }


def simulated(place: Place, stage: str, resource: str) -> set[str]:
    """Ask IAM which of the actions that there are on a resource a role may do to it."""
    arn = place.arns[resource]
    _, _, service, *_ = f"{arn}:::".split(":")
    asked = [action for action in ACTIONS if action.startswith(f"{service}:") or resource == "everything"]
    named = re.sub(":role/.*/", ":role/", place.roles[stage])  # the simulator knows no paths of roles
    evaluated = place.iam.simulate_principal_policy(PolicySourceArn=named, ActionNames=asked, ResourceArns=[arn])[
        "EvaluationResults"
    ]
    assert len(evaluated) == len(asked) > 15
    return {result["EvalActionName"] for result in evaluated if result["EvalDecision"] == "allowed"}


@pytest.mark.parametrize("stage", STAGES)
def test_of_all_actions_on_all_resources_the_simulator_allows_what_the_stage_does(place: Place, stage: str) -> None:
    assert len(ACTIONS) > 1000
    allowed = {(action, resource) for resource in place.arns for action in simulated(place, stage, resource)}
    assert allowed == DONE[stage] | {(action, "everything") for action in TRACE}


def test_the_engine_notices_one_more_right(place: Place) -> None:
    iam, role = place.iam, place.resources["ValidatorRole"]
    statement = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": place.arns["table"]}
    iam.put_role_policy(
        RoleName=role, PolicyName="more", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    try:
        assert simulated(place, "Validator", "table") == {"dynamodb:scan"}
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="more")
