"""An event of S3 names the version that it is about, and a role's session is its role to a policy."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import Lab, allow, policy


def announced(client_of: Callable[..., Any]) -> tuple[str, dict[str, Any]]:
    """Put an object into a bucket with versions; return its version, and what a rule tells of it."""
    s3, sqs, events = client_of("s3"), client_of("sqs"), client_of("events")
    name = f"v-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {**allow("sqs:SendMessage", arn), "Principal": {"Service": "events.amazonaws.com"}}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    events.put_rule(Name=name, EventPattern=json.dumps({"detail": {"bucket": {"name": [name]}}}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    version = s3.put_object(Bucket=name, Key="a", Body=b"a")["VersionId"]
    deadline = time.monotonic() + 20
    while not (found := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")):
        assert time.monotonic() < deadline
    told: dict[str, Any] = json.loads(found[0]["Body"])["detail"]["object"]
    return version, told


def part(client_of: Callable[..., Any], wanted: str) -> bytes:
    """Read a part of a version that is not the latest."""
    s3, name = client_of("s3"), f"v-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version, _ = (s3.put_object(Bucket=name, Key="a", Body=body)["VersionId"] for body in (b"abcdef", b"later"))
    answer = s3.get_object(Bucket=name, Key="a", VersionId=version, Range=f"bytes={wanted}", ChecksumMode="ENABLED")
    return bytes(answer["Body"].read())


@pytest.mark.parametrize(("wanted", "content"), [("2-3", b"cd"), ("4-9", b"ef"), ("3-", b"def"), ("-1", b"f")])
def test_a_part_of_a_version_is_no_more_than_that(stack: DeployedStack, wanted: str, content: bytes) -> None:
    assert part(stack.client, wanted) == content


def test_what_is_behind_the_end_of_a_version_is_no_part_of_it(stack: DeployedStack) -> None:
    with pytest.raises(ClientError, match="InvalidRange"):
        part(stack.client, "6-7")


def test_ministack_alone_still_answers_with_the_whole_version(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack cuts it by itself: remove `cutting` in `local/gaps/versions.py`."""
    assert part(bare, "2-3") == b"abcdef"


def test_an_event_names_its_version(stack: DeployedStack) -> None:
    version, told = announced(stack.client)
    assert told["version-id"] == version


def test_ministack_alone_still_leaves_the_version_out(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack names it by itself: remove `local/gaps/versions.py`."""
    assert "version-id" not in announced(bare)[1]


def roles(lab: Lab) -> set[str]:
    return {role["Arn"] for role in lab.client("iam").list_roles()["Roles"]}


def test_a_policy_knows_the_session_of_a_role_by_the_arn_of_the_role(stack: DeployedStack) -> None:
    lab, name = Lab(stack), f"b-{uuid.uuid4()}"
    lab.client("s3").create_bucket(Bucket=name)
    objects = f"arn:aws:s3:::{name}/*"
    before = roles(lab)
    one = lab.client_of_role("s3", allow("s3:PutObject", objects))
    (role,) = roles(lab) - before
    other = lab.client_of_role("s3", allow("s3:PutObject", objects))
    deny = {**allow("s3:PutObject", objects, "Deny"), "Principal": "*"}
    deny["Condition"] = {"ArnNotEquals": {"aws:PrincipalArn": role}}
    lab.client("s3").put_bucket_policy(Bucket=name, Policy=policy(deny))
    one.put_object(Bucket=name, Key="a", Body=b"")
    with pytest.raises(ClientError, match="explicit deny"):
        other.put_object(Bucket=name, Key="a", Body=b"")
