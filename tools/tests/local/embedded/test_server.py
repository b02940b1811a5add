"""The deployed stack on the embedded AWS: asynchronous invocation, IAM and TLS as AWS has them."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, SSLError

from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from pipeline.stack.invoke import Invoker, Reply
from pipeline.stack.rate_limit import RateLimiter
from tests.deployed import STACK_NAME, DeployedStack
from tests.own import enricher
from tools.tests.local.lambdas import allow, client_of, user

GOOD = {"id": "a", "timestamp": 1700000000000, "data": {"n": 1}}


def metric(state: dict[str, Any], name: str) -> int:
    return sum(counts.get(name, 0) for counts in state["functions"].values())


def test_a_good_record_passes_the_three_stages_and_is_stored_enriched(stack: DeployedStack) -> None:
    stack.submit(GOOD)
    state = stack.drain()
    (item,) = stack.items()
    assert item[:4] == ("a", 1700000000000, '{"n":1}', enricher.VERSION)
    once = {stack.function(stage): 1 for stage in ("validator", "enricher", "processor")}
    assert {name: counts["SUCCESS"] for name, counts in state["functions"].items()} == once


def test_a_bad_record_is_a_dead_letter_with_its_stage_and_reason(stack: DeployedStack) -> None:
    stack.submit({"id": "a"})
    stack.drain()
    stage, letter, origins = stack.failures()[0]
    assert (stage, letter.error, letter.error_code) == ("validator", "Invalid data: missing data field", "200")
    assert origins == ({"id": "a"},)
    assert stack.items() == []


def test_a_dead_letter_of_a_later_stage_names_it_and_leads_to_the_submitted_record(stack: DeployedStack) -> None:
    stack.submit(GOOD)
    stack.drain()
    stack.submit({**GOOD, "data": "other"})
    stack.drain()
    failure = stack.failures()[0]
    assert (failure.stage, *failure.origins) == ("processor", {**GOOD, "data": "other"})
    assert [item.data for item in stack.items()] == ['{"n":1}']


def test_the_same_record_ten_times_is_stored_once(stack: DeployedStack) -> None:
    stack.submit(*[GOOD] * 10)
    state = stack.drain()
    assert len(stack.items()) == 1
    assert metric(state, "FUNCTION_ERROR") == 0


def test_events_share_a_connection(stack: DeployedStack) -> None:
    client = stack.aws.client("lambda")
    invoker = Invoker(client, RateLimiter(), threading.Event())
    assert [invoker.send(stack.entry, b"{}").reply for _ in range(3)] == [Reply.ACCEPTED] * 3
    pools = client._endpoint.http_session._manager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - it is no dict
    stack.drain()


@pytest.mark.parametrize("name", ["no-such-function", "{}:no-such-alias"])
def test_a_function_that_is_not_there_takes_no_event(stack: DeployedStack, name: str) -> None:
    function = name.format(stack.function("validator"))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        stack.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
    assert stack.aws.queue_state()["accepted"] == 0


def test_sqs_does_not_redrive_a_queue_that_lambda_fills(stack: DeployedStack) -> None:
    with pytest.raises(ClientError):
        stack.client("sqs").start_message_move_task(SourceArn=stack.outputs.queue_arn)


# IAM and TLS


def user_client(stack: DeployedStack, *statements: dict[str, Any]) -> Any:
    """Return a client of Lambda for a new user who may do what the statements allow."""
    return client_of(stack.aws, "lambda", user(stack.client("iam"), *statements)[1])


def test_a_user_without_permission_can_not_invoke(stack: DeployedStack) -> None:
    client = user_client(stack)
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=stack.entry, InvocationType="Event", Payload=b"{}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert stack.aws.queue_state()["accepted"] == 0


def test_a_user_with_permission_invokes_by_a_signed_request(stack: DeployedStack) -> None:
    client = user_client(stack, allow("lambda:InvokeFunction", stack.entry))
    answer = client.invoke(FunctionName=stack.entry, InvocationType="Event", Payload=json.dumps(GOOD))
    assert answer["StatusCode"] == 202
    assert metric(stack.drain(), "SUCCESS") == 3
    assert len(stack.items()) == 1


def test_a_user_invokes_where_loop_detection_is_off_too(stack: DeployedStack) -> None:
    client, owner = user_client(stack, allow("lambda:InvokeFunction", "*")), stack.client("lambda")
    owner.put_function_recursion_config(FunctionName=stack.function("processor"), RecursiveLoop="Allow")
    try:
        answer = client.invoke(FunctionName=stack.outputs.aliases["processor"], InvocationType="Event", Payload=b"[]")
        assert answer["StatusCode"] == 202
        stack.drain()
    finally:
        owner.put_function_recursion_config(FunctionName=stack.function("processor"), RecursiveLoop="Terminate")


def test_a_client_that_does_not_trust_the_authority_is_not_served(stack: DeployedStack) -> None:
    client = boto3.client("sts", region_name="us-east-1", endpoint_url=stack.aws.endpoint, verify=True,
                          aws_access_key_id="test", aws_secret_access_key="test",
                          config=Config(retries={"total_max_attempts": 1}))  # fmt: skip
    with pytest.raises(SSLError):
        client.get_caller_identity()


def test_plain_http_is_not_served(stack: DeployedStack) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(stack.aws.endpoint.replace("https", "http"), trust_env=False)


@contextmanager
def without(stack: DeployedStack, action: str, logical_id: str) -> Iterator[None]:
    """Deny an action that a deployed managed policy allows, for a while."""
    iam = stack.client("iam")
    cloudformation = stack.client("cloudformation")
    resource = cloudformation.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=logical_id)
    arn = resource["StackResourceDetail"]["PhysicalResourceId"]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    denied = [{**s, "Effect": "Deny"} if action in s["Action"] else s for s in document["Statement"]]
    assert denied != document["Statement"], f"{logical_id} does not allow {action}"
    replace_policy(iam, arn, {**document, "Statement": denied})
    try:
        yield
    finally:
        replace_policy(iam, arn, document)


def replace_policy(iam: Any, arn: str, document: dict[str, Any]) -> None:
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
    iam.delete_policy_version(PolicyArn=arn, VersionId=before)


def test_without_put_item_every_record_is_a_dead_letter_of_the_processor(stack: DeployedStack) -> None:
    with without(stack, "dynamodb:PutItem", "ProcessorPolicy"):
        stack.submit(GOOD)
        state = stack.drain()
    assert [(stage, "AccessDenied" in letter.error) for stage, letter, _ in stack.failures()] == [("processor", True)]
    assert state["functions"][stack.function("processor")]["FUNCTION_ERROR"] == 3


def test_without_invoke_function_the_record_is_lost_and_counted(stack: DeployedStack) -> None:
    with without(stack, "lambda:InvokeFunction", "ValidatorInvokesEnricher"):
        stack.submit(GOOD)
        state = stack.drain()
    assert state["functions"][stack.function("validator")]["DestinationDeliveryFailures"] == 1
    assert "lambda:InvokeFunction" in state["losses"][0]["reason"]
    assert (stack.items(), stack.failures()) == ([], [])


# At-least-once delivery, exactly-once effects


def test_with_duplicates_and_failures_every_record_is_stored_once_or_dead(stack: DeployedStack) -> None:
    stack.reset(QueueOptions(Clock(0.01), Faults(1, duplicate=True, fail_rate=0.1)))
    records = [{"id": f"r{n}", "timestamp": 1700000000000 + n, "data": n} for n in range(20)]
    stack.submit(*records, {"id": "bad"})
    stack.drain()
    stored = [item.id for item in stack.items()]
    dead = {failure.origins[0]["id"] for failure in stack.failures()}
    assert len(stored) == len(set(stored))
    assert set(stored) | dead == {record["id"] for record in records} | {"bad"}
    assert "bad" not in stored


def test_the_functions_log_lines_are_in_their_log_groups(stack: DeployedStack) -> None:
    stack.submit(GOOD)
    stack.drain()
    found = stack.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{stack.function('processor')}", filterPattern='"record stored"'
    )["events"]
    assert json.loads(found[-1]["message"])["recordId"] == "a"


def test_what_the_shell_says_of_aws_reaches_no_client(stack: DeployedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_CA_BUNDLE": "/no",
                        "AWS_ACCESS_KEY_ID": "AKIAREAL", "HTTPS_PROXY": "http://127.0.0.1:9"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert os.environ["AWS_PROFILE"] == "production"
    monkeypatch.delitem(vars(stack.aws), "_session", raising=False)  # made anew, in this environment
    assert stack.aws.client("sts").get_caller_identity()["Account"] == "000000000000"
