"""Each role by a policy engine: exactly what its stage does is allowed, on exactly the resources it does it to.

The engine is that of the embedded AWS, asked in both ways that IAM offers: by its simulator for every action that there
is on a resource, and by calls with the roles' own credentials.
"""

import functools
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from pipeline.local.embedded.environment import REGION
from tests.deployed import STACK_NAME, DeployedStack
from tests.model.built_stages import STAGES, following

# Services of the stack, and others that a function's code has no business with.
SERVICES = (
    "dynamodb",
    "sqs",
    "logs",
    "lambda",
    "xray",
    "sns",
    "cloudwatch",
    "iam",
    "sts",
    "kms",
    "s3",
    "secretsmanager",
    "ssm",
)
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
DENIED = {"AccessDenied", "AccessDeniedException"}
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
    evaluated = place.iam.simulate_principal_policy(
        PolicySourceArn=place.roles[stage], ActionNames=asked, ResourceArns=[arn]
    )["EvaluationResults"]
    assert len(evaluated) == len(asked) > 15
    return {result["EvalActionName"] for result in evaluated if result["EvalDecision"] == "allowed"}


@pytest.mark.parametrize("stage", STAGES)
def test_of_all_actions_on_all_resources_the_simulator_allows_what_the_stage_does(place: Place, stage: str) -> None:
    assert len(ACTIONS) > 1000
    allowed = {(action, resource) for resource in place.arns for action in simulated(place, stage, resource)}
    assert allowed == DONE[stage] | {(action, "everything") for action in TRACE}


Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def clients(place: Place) -> dict[str, Clients]:
    """Make clients with the credentials of each role."""
    sts = place.stack.client("sts")

    def of(stage: str) -> Clients:
        taken = sts.assume_role(RoleArn=place.roles[stage], RoleSessionName="matrix")["Credentials"]
        session = boto3.session.Session(
            taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], region_name=REGION
        )
        aws = place.stack.aws
        return functools.cache(
            lambda service: session.client(service, endpoint_url=aws.endpoint, verify=aws.environment["AWS_CA_BUNDLE"])
        )

    return {stage: of(stage) for stage in STAGES}


def calls(place: Place) -> dict[tuple[str, str], Callable[[Clients], object]]:
    """List calls by action and resource: those that somebody is allowed, and what else could be tried."""
    tables = {"table": place.resources["DataTable"], "foreign table": FOREIGN}
    own_queue = place.resources["DeadLetterQueue"]
    queues = {"dead letters": own_queue, "foreign queue": f"{own_queue.rpartition('/')[0]}/{FOREIGN}"}
    groups = {**{f"logs of the {s}": place.resources[f"{s}LogGroup"] for s in STAGES}, "foreign logs": FOREIGN}
    functions = {name: arn for name, arn in place.arns.items() if ":function:" in arn}
    key = {"id": {"S": "matrix"}, "timestamp": {"N": "1"}}
    event = {"timestamp": 1, "message": "matrix"}
    made: dict[tuple[str, str], Callable[[Clients], object]] = {}
    for name, table in tables.items():
        made |= {
            ("dynamodb:putitem", name): lambda c, t=table: c("dynamodb").put_item(TableName=t, Item=key),
            ("dynamodb:partiqlinsert", name): lambda c, t=table: c("dynamodb").execute_statement(
                Statement=f"INSERT INTO \"{t}\" VALUE {{'id': 'partiql', 'timestamp': 1}}"
            ),
            ("dynamodb:getitem", name): lambda c, t=table: c("dynamodb").get_item(TableName=t, Key=key),
            ("dynamodb:deleteitem", name): lambda c, t=table: c("dynamodb").delete_item(TableName=t, Key=key),
            ("dynamodb:scan", name): lambda c, t=table: c("dynamodb").scan(TableName=t),
            ("dynamodb:deletetable", name): lambda c, t=table: c("dynamodb").delete_table(TableName=t),
        }
    for name, url in queues.items():
        made |= {
            ("sqs:sendmessage", name): lambda c, q=url: c("sqs").send_message(QueueUrl=q, MessageBody="{}"),
            ("sqs:receivemessage", name): lambda c, q=url: c("sqs").receive_message(QueueUrl=q),
            ("sqs:purgequeue", name): lambda c, q=url: c("sqs").purge_queue(QueueUrl=q),
        }
    for name, group in groups.items():
        stream = {"logGroupName": group, "logStreamName": "matrix"}
        made |= {
            ("logs:createlogstream", name): lambda c, s=stream: c("logs").create_log_stream(**s),
            ("logs:putlogevents", name): lambda c, s=stream: c("logs").put_log_events(**s, logEvents=[event]),
            ("logs:getlogevents", name): lambda c, s=stream: c("logs").get_log_events(**s),
            ("logs:deleteloggroup", name): lambda c, s=stream: c("logs").delete_log_group(
                logGroupName=s["logGroupName"]
            ),
        }
    for name, arn in functions.items():
        made |= {
            ("lambda:invokefunction", name): lambda c, a=arn: c("lambda").invoke(
                FunctionName=a, InvocationType="DryRun"
            ),
            ("lambda:getfunction", name): lambda c, a=arn: c("lambda").get_function(FunctionName=a),
            ("lambda:deletefunction", name): lambda c, a=arn: c("lambda").delete_function(FunctionName=a),
        }
    return made


def is_allowed(call: Callable[[Clients], object], clients: Clients) -> bool:
    """Tell whether a call got past IAM, whatever it then came to."""
    try:
        call(clients)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


@pytest.mark.parametrize("stage", STAGES)
def test_of_all_calls_with_its_credentials_those_are_let_through_that_the_stage_makes(
    place: Place, clients: dict[str, Clients], stage: str
) -> None:
    tried = calls(place)
    assert len(tried) == 2 * 6 + 2 * 3 + (len(STAGES) + 1) * 4 + (2 * len(STAGES) + 1) * 3
    assert set(itertools.chain(*DONE.values())) <= set(tried)
    # For these MiniStack wants a right on the log group's ARN without `:*`, which AWS does not; its simulator is right.
    logging = {right for right in DONE[stage] if right[0].startswith("logs:")}
    assert {right for right, call in tried.items() if is_allowed(call, clients[stage])} == DONE[stage] - logging


def test_the_engine_notices_one_more_right(place: Place, clients: dict[str, Clients]) -> None:
    iam, role = place.iam, place.resources["ValidatorRole"]
    statement = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": place.arns["table"]}
    scan = calls(place)["dynamodb:scan", "table"]
    assert not is_allowed(scan, clients["Validator"])
    iam.put_role_policy(
        RoleName=role, PolicyName="more", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    try:
        assert is_allowed(scan, clients["Validator"])
        assert simulated(place, "Validator", "table") == {"dynamodb:scan"}
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="more")
