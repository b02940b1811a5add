"""Who sent a message of a queue, as SQS tells it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import Lab, allow, client_of, policy, user

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
SEND = allow("sqs:*", "*")
Key = dict[str, str]


@pytest.fixture
def queue(stack: DeployedStack) -> Iterator[str]:
    url = stack.client("sqs").create_queue(QueueName=f"senders-{uuid.uuid4()}")["QueueUrl"]
    yield url
    stack.client("sqs").delete_queue(QueueUrl=url)


def session(iam: Any, sts: Any) -> tuple[str, Key]:
    name = f"sender-{uuid.uuid4()}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=policy(SEND))
    return f"{role['RoleId']}:me", sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]


def senders(sqs: Any, queue: str) -> dict[str, str]:
    """Take the messages out of a queue: their bodies, and who sent them."""
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["SenderId"])
    return {message["Body"]: message["Attributes"]["SenderId"] for message in messages["Messages"]}


def test_a_message_tells_the_user_the_roles_session_or_the_account_that_sent_it(
    stack: DeployedStack, queue: str
) -> None:
    iam = stack.client("iam")
    sender, users = user(iam, SEND)
    session_id, roles = session(iam, stack.client("sts"))
    client_of(stack.aws, "sqs", users).send_message(QueueUrl=queue, MessageBody="user")
    entries = [{"Id": f"n{number}", "MessageBody": f"role {number}"} for number in range(2)]
    client_of(stack.aws, "sqs", roles).send_message_batch(QueueUrl=queue, Entries=entries)
    stack.client("sqs").send_message(QueueUrl=queue, MessageBody="owner")
    assert senders(stack.client("sqs"), queue) == {
        "user": sender["UserId"],
        "role 0": session_id,
        "role 1": session_id,
        "owner": "000000000000",
    }
    assert sender["UserId"].startswith("AIDA")
    assert session_id.startswith("AROA")


def query(stack: DeployedStack, key: Key, **form: str) -> str:
    """Call SQS by the older query protocol."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"Version": "2012-11-05", **form})
    request = AWSRequest("POST", stack.aws.endpoint + "/", headers=headers, data=body)
    SigV4Auth(
        Credentials(key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken")), "sqs", "us-east-1"
    ).add_auth(request)
    answer = URLLib3Session(verify=stack.aws.environment["AWS_CA_BUNDLE"], proxies={}).send(request.prepare())
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_the_query_protocol_tells_it_too(stack: DeployedStack, queue: str) -> None:
    session_id, roles = session(stack.client("iam"), stack.client("sts"))
    query(stack, roles, Action="SendMessage", QueueUrl=queue, MessageBody="a <MessageId>b</MessageId>")
    known = stack.aws.environment
    owner = {"AccessKeyId": known["AWS_ACCESS_KEY_ID"], "SecretAccessKey": known["AWS_SECRET_ACCESS_KEY"]}
    received = query(stack, owner, Action="ReceiveMessage", QueueUrl=queue, **{"AttributeName.1": "SenderId"})
    assert f"<Value>{session_id}</Value>" in received


def role_id(stack: DeployedStack, stage: str) -> str:
    role = stack.client("lambda").get_function_configuration(FunctionName=stack.function(stage))["Role"]
    return str(stack.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["RoleId"])


def test_a_dead_letter_is_sent_by_lambda_in_the_role_of_the_function(stack: DeployedStack) -> None:
    stack.submit({"id": "a"})
    stack.drain()
    (failure,) = stack.failures()
    assert failure.letter.sender.startswith(f"{role_id(stack, 'validator')}:awslambda_")


def test_ministack_alone_still_names_the_account(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack names senders by itself: remove `local/embedded/sender_ids.py`."""
    _, key = user(bare("iam"), SEND)
    sqs = bare("sqs")
    queue = sqs.create_queue(QueueName="senders")["QueueUrl"]
    bare("sqs", key["AccessKeyId"], key["SecretAccessKey"], None).send_message(QueueUrl=queue, MessageBody="user")
    assert senders(sqs, queue) == {"user": "000000000000"}


SENDS = """
import boto3
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="function")
"""


def test_a_message_of_a_functions_own_tells_its_role_and_its_name(stack: DeployedStack, queue: str) -> None:
    lab = Lab(stack)
    name = lab.function(SENDS, "sqs:SendMessage")
    stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"queue": queue}))
    role = stack.client("lambda").get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    role_id = stack.client("iam").get_role(RoleName=role)["Role"]["RoleId"]
    assert senders(stack.client("sqs"), queue) == {"function": f"{role_id}:{name}"}
