"""Functions of a test's own on the embedded AWS, each with a role of its own."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from pipeline.local.embedded.process import EmbeddedAws
from tests.deployed import DEADLINE, DeployedStack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def allow(action: str, resource: str, effect: str = "Allow") -> dict[str, Any]:
    """A statement of a policy."""
    return {"Effect": effect, "Action": action, "Resource": resource}


def policy(*statements: dict[str, Any]) -> str:
    """A policy's document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


ECHO = "def handler(event, context):\n    return event\n"
WAITING = """
import os, time
def handler(event, context):
    open(os.path.join(event["folder"], "began"), "w").close()
    while not os.path.exists(os.path.join(event["folder"], "go")):
        time.sleep(0.01)
"""
"""It runs until there is a file `go` in a folder."""
FAIL = "def handler(event, context):\n    raise ValueError('no')\n"


def package(code: str) -> bytes:
    """Zip a module `f`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("f.py", code)
    return content.getvalue()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def client_of(aws: EmbeddedAws, service: str, key: Mapping[str, str], config: Config | None = None) -> Any:
    """Return a client with somebody's key, as IAM and STS tell one."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name="us-east-1",
        endpoint_url=aws.endpoint,
        verify=aws.environment["AWS_CA_BUNDLE"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=config,
    )


def user(iam: Any, *statements: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Make a user who has these statements; return the user and a key."""
    made = iam.create_user(UserName=f"user-{uuid.uuid4()}")["User"]
    if statements:
        iam.put_user_policy(UserName=made["UserName"], PolicyName="p", PolicyDocument=policy(*statements))
    return made, iam.create_access_key(UserName=made["UserName"])["AccessKey"]


@dataclass(frozen=True)
class Lab:
    """Makes queues and functions."""

    stack: DeployedStack

    def client(self, service: str = "lambda") -> Any:
        return self.stack.client(service)

    def impatient(self, service: str = "lambda") -> Any:
        """Return a client that repeats no request."""
        environment = self.stack.aws.environment
        key = {"AccessKeyId": environment["AWS_ACCESS_KEY_ID"], "SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"]}
        return client_of(self.stack.aws, service, key, Config(retries={"total_max_attempts": 1}))

    def queue(self, suffix: str = "", **attributes: str) -> tuple[str, str]:
        """Make a queue; return its URL and its ARN."""
        made = self.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4()}{suffix}", Attributes=attributes)
        url = made["QueueUrl"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def role(self, *actions: str) -> str:
        """Make a role that Lambda may assume, and that may do some actions on anything."""
        name, iam = f"role-{uuid.uuid4()}", self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        return str(arn)

    def client_of_role(self, service: str, *statements: dict[str, Any]) -> Any:
        """Return a client with the credentials of a role that has these statements."""
        name, iam = f"role-{uuid.uuid4()}", self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        key = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return client_of(self.stack.aws, service, key)

    def function(self, code: str = ECHO, *actions: str, **properties: Any) -> str:
        """Make a function, and return its name."""
        name = f"f-{uuid.uuid4()}"
        self.client().create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="f.handler",
            Code={"ZipFile": package(code)},
            **{"Role": self.role(*actions), "Timeout": 10, **properties},
        )
        return name

    def published(self, code: str = ECHO, *actions: str, **properties: Any) -> str:
        """Make a function with an alias `live` of its first version."""
        name = self.function(code, *actions, **properties)
        version = self.client().publish_version(FunctionName=name)["Version"]
        self.client().create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        return name

    def send(self, function: str, payload: object = None, **more: Any) -> str:
        """Invoke asynchronously; return the request id."""
        answer = self.client().invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(payload or {}), **more
        )
        assert answer["StatusCode"] == 202
        return str(answer["ResponseMetadata"]["RequestId"])

    def messages(self, url: str) -> list[dict[str, Any]]:
        """Wait until the asynchronous queue has drained, and take the messages out of a queue."""
        self.stack.drain()
        found: list[dict[str, Any]] = []
        while (
            batch := self.client("sqs")
            .receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
            )
            .get("Messages")
        ):
            found += batch
        return found

    def bodies(self, url: str) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages(url)]

    def logged(self, function: str) -> list[str]:
        """Return the lines of a function's log."""
        found = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        return [event["message"] for event in found]
