"""A file comes into the table through S3, the rule, the queue and the reader, with IAM, and is settled."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from pipeline.commands.shared.feeding import feed_by_file, judged
from pipeline.local.asynchronous import Clock, Faults, QueueOptions, Result
from pipeline.records.bucket import Bucket, Receipt
from pipeline.records.judgement import Outcome
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source
from tests.deployed import DeployedStack, Item
from tools.tests.local.lambdas import Lab, allow, client_of, policy

LINES = 400
SEED = 1
"""By it the only event is lost, and is not when it is sent again."""
DEADLINE = 60
"""Seconds within which a file is settled."""


def record(number: int) -> dict[str, Any]:
    return {"id": f"order-{number}", "timestamp": number + 1, "data": {"total": number}}


def lines(count: int = LINES) -> list[str]:
    """One line in a hundred is bad: no JSON, or no record."""
    bad = {0: "{broken", 100: json.dumps({"id": "x"})}
    return [bad.get(number % 200) or json.dumps(record(number)) for number in range(count)]


GOOD = {(f"order-{number}", number + 1) for number in range(LINES) if number % 100}


def put(stack: DeployedStack, key: str, content: bytes) -> str:
    """Put a file, and return its version."""
    return str(stack.client("s3").put_object(Bucket=stack.outputs.bucket, Key=key, Body=content)["VersionId"])


def settled(stack: DeployedStack, key: str, version: str) -> Receipt:
    """Wait for the receipt of a file."""
    bucket, deadline = Bucket(stack.client("s3"), stack.outputs.bucket), time.monotonic() + DEADLINE
    while not (receipt := bucket.receipt(key, version)):
        assert time.monotonic() < deadline, (bucket.state(key), stack.aws.queue_state()["errors"])
        time.sleep(0.1)
    assert receipt.lines == receipt.rejected + receipt.stored + receipt.different + receipt.missing
    return receipt


@contextmanager
def paused(stack: DeployedStack) -> Iterator[None]:
    """Let files wait."""
    client = stack.client("lambda")
    (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def documents(stack: DeployedStack, key: str) -> list[Any]:
    answer = stack.client("s3").get_object(Bucket=stack.outputs.bucket, Key=key)
    return [json.loads(line) for line in answer["Body"].read().splitlines()]


def keys(items: list[Item]) -> set[tuple[str, int]]:
    found = {(item.id, item.timestamp) for item in items}
    assert len(found) == len(items)
    return found


def test_every_line_is_stored_once_refused_or_different_and_again_nothing_twice(
    stack_with_files: DeployedStack,
) -> None:
    conflicts = [json.dumps({**record(number), "data": "another"}) for number in (1, 2, 3)]
    content = "\n".join([*lines(), *conflicts]).encode()
    files = {"in/a.jsonl": content, "a.jsonl.gz": gzip.compress(content)}
    versions = {key: put(stack_with_files, key, body) for key, body in files.items()}
    for key, version in versions.items():
        receipt = settled(stack_with_files, key, version)
        assert (receipt.rejected, receipt.stored, receipt.different, receipt.missing) == (4, LINES - 4, 3, 0)
        rejected = documents(stack_with_files, f"rejected/{key}.jsonl")
        assert [one["line"] for one in rejected] == list(range(1, LINES + 1, 100))
    stack_with_files.drain()
    assert keys(stack_with_files.items()) == GOOD
    assert {failure.stage for failure in stack_with_files.failures()} == {"processor"}


def test_a_file_without_timestamps_that_is_put_twice_is_stored_once(stack_with_files: DeployedStack) -> None:
    content = "\n".join(json.dumps({"id": "one", "data": number}) for number in range(300)).encode()
    versions = [put(stack_with_files, "a.jsonl", content) for _ in range(2)]
    assert [settled(stack_with_files, "a.jsonl", version).stored for version in versions] == [300, 300]
    stack_with_files.drain()
    assert len(keys(stack_with_files.items())) == 300


def test_what_lambda_loses_is_sent_again_and_nothing_stored_twice(stack_with_files: DeployedStack) -> None:
    stack_with_files.reset(QueueOptions(Clock(0.3), Faults(fail_rate=0.2, lose_rate=0.3, seed=SEED)))
    receipt = settled(stack_with_files, "a.jsonl", put(stack_with_files, "a.jsonl", "\n".join(lines()).encode()))
    assert (receipt.sent_again, receipt.missing) == (LINES - 4, 0)
    stack_with_files.drain()
    assert keys(stack_with_files.items()) == GOOD


def test_while_events_are_open_no_line_is_looked_for_and_sent_again(stack_with_files: DeployedStack) -> None:
    faults = Faults(fail_rate=0.5, kinds=(Result.FUNCTION_ERROR,), seed=8)  # by it the processor fails once
    stack_with_files.reset(QueueOptions(Clock(3), faults))
    receipt = settled(stack_with_files, "a.jsonl", put(stack_with_files, "a.jsonl", json.dumps(record(1)).encode()))
    assert stack_with_files.aws.queue_state()["functions"][stack_with_files.function("processor")]["FUNCTION_ERROR"]
    assert (receipt.stored, receipt.sent_again) == (1, 0)


def test_a_file_that_is_replaced_is_read_in_both_versions(stack_with_files: DeployedStack) -> None:
    versions = [put(stack_with_files, "a.jsonl", json.dumps(record(number)).encode()) for number in (1, 2)]
    assert [settled(stack_with_files, "a.jsonl", version).stored for version in versions] == [1, 1]
    assert keys(stack_with_files.items()) == {("order-1", 2), ("order-2", 3)}


def test_a_file_that_is_deleted_before_it_is_read_has_a_receipt_that_says_so(stack_with_files: DeployedStack) -> None:
    with paused(stack_with_files):
        version = put(stack_with_files, "a.jsonl", json.dumps(record(1)).encode())
        stack_with_files.client("s3").delete_object(Bucket=stack_with_files.outputs.bucket, Key="a.jsonl")
    assert settled(stack_with_files, "a.jsonl", version).reason == "the file was deleted"
    assert stack_with_files.items() == []


def test_a_run_by_file_says_what_became_of_each_line(stack_with_files: DeployedStack, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    undated = json.dumps({"id": "undated", "data": 1})
    path.write_bytes(gzip.compress("\n".join([*lines(300), undated]).encode()))
    aws, outputs, console = stack_with_files.aws, stack_with_files.outputs, Console(quiet=True)
    with Source(path) as source:
        report = judged(aws, outputs, feed_by_file(aws, outputs, source, console), Outcomes(), console)
    assert [report.count(outcome) for outcome in Outcome] == [298, 0, 3, 0, 0, 0]
    assert report.problems == ["3 of 301 records were refused"]


def test_a_file_that_cannot_be_read_is_a_dead_letter_of_the_reader(stack_with_files: DeployedStack) -> None:
    version = put(stack_with_files, "in/a.jsonl.gz", b"no gzip")
    reason = settled(stack_with_files, "in/a.jsonl.gz", version).reason
    (failure,) = stack_with_files.failures()
    assert (failure.stage, failure.letter.error) == ("reader", reason)
    assert failure.letter.event["detail"]["object"]["key"] == "in/a.jsonl.gz"


@contextmanager
def denied(stack: DeployedStack, action: str) -> Iterator[None]:
    """Take a right from the reader for a while."""
    iam = stack.client("iam")
    (role,) = [one["RoleName"] for one in iam.list_roles()["Roles"] if "ReaderRole" in one["RoleName"]]
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy(allow(action, "*", "Deny")))
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


RIGHTS = (
    *(f"s3:{action}" for action in ("GetObject", "GetObjectVersion", "ListBucket", "PutObject", "DeleteObject")),
    *(f"sqs:{action}" for action in ("SendMessage", "GetQueueAttributes")),
    "lambda:InvokeFunction",
)


def test_without_any_of_its_rights_the_reader_fails_and_goes_on_when_it_has_it_again(
    stack_with_files: DeployedStack,
) -> None:
    stack, client = stack_with_files, stack_with_files.client("lambda")
    with paused(stack):
        versions = {
            "a.jsonl": put(stack, "a.jsonl", f"{json.dumps(record(1))}\n{{broken".encode()),
            "bad.jsonl": put(stack, "bad.jsonl", b"{broken"),  # it is settled in one step
        }
        for action in RIGHTS:
            key = "bad.jsonl" if action in ("s3:ListBucket", "s3:DeleteObject") else "a.jsonl"
            told = {"bucket": {"name": stack.outputs.bucket}, "object": {"key": key, "version-id": versions[key]}}
            with denied(stack, action):
                payload = json.dumps({"detail": told})
                answer = client.invoke(FunctionName=stack.function("reader"), Payload=payload)
                reason = json.load(answer["Payload"]).get("errorMessage", "")
            assert action in reason or "Forbidden" in reason, action  # the answer to a HEAD names no action
    with denied(stack, "dynamodb:BatchGetItem"):
        deadline, found = time.monotonic() + DEADLINE, ""
        while "dynamodb:BatchGetItem" not in found:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
            found = failures_of(stack, "a.jsonl")
    assert settled(stack, "a.jsonl", versions["a.jsonl"]).stored == 1
    assert settled(stack, "bad.jsonl", versions["bad.jsonl"]).rejected == 1


def failures_of(stack: DeployedStack, key: str) -> str:
    """Return why the reader failed with a file, by its log."""
    group = f"/aws/lambda/{stack.function('reader')}"
    events = stack.client("logs").filter_log_events(logGroupName=group)["events"]
    told = [json.loads(one["message"]) for one in events if one["message"].startswith("{")]
    return " ".join(one["reason"] for one in told if one.get("recordId") == key and "reason" in one)


def test_nobody_but_the_reader_writes_beside_the_files(stack_with_files: DeployedStack) -> None:
    lab, objects = Lab(stack_with_files), f"arn:aws:s3:::{stack_with_files.outputs.bucket}/*"
    uploader = lab.client_of_role("s3", allow("s3:*", objects))
    uploader.put_object(Bucket=stack_with_files.outputs.bucket, Key="a.jsonl", Body=b"")
    for key in ("receipts/a.json", "rejected/a.jsonl", "missing/a.jsonl", "reports/a.date"):
        with pytest.raises(ClientError, match="explicit deny"):
            uploader.put_object(Bucket=stack_with_files.outputs.bucket, Key=key, Body=b"")


@pytest.fixture
def reader(stack_with_files: DeployedStack) -> Any:
    """S3 as the reader has it, and a bucket that is none of its own."""
    aws, iam = stack_with_files.aws, stack_with_files.client("iam")
    (role,) = [one for one in iam.list_roles()["Roles"] if "ReaderRole" in one["RoleName"]]
    trust = role["AssumeRolePolicyDocument"]
    anybody = json.loads(json.dumps(trust))
    anybody["Statement"][0]["Principal"] = {"AWS": "*"}
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(anybody))
    session = stack_with_files.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    yield client_of(aws, "s3", session)
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))


def test_the_reader_may_read_no_other_bucket_and_write_no_other_key(
    stack_with_files: DeployedStack, reader: Any
) -> None:
    owner, own = stack_with_files.client("s3"), stack_with_files.outputs.bucket
    owner.create_bucket(Bucket="another")
    for bucket in (own, "another"):
        owner.put_object(Bucket=bucket, Key="a.txt", Body=b"text")

    def allowed(call: Callable[..., Any], **given: Any) -> bool:
        try:
            call(**given)
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("AccessDenied", "403"), error
            return False
        return True

    assert allowed(reader.get_object, Bucket=own, Key="a.txt")
    assert not allowed(reader.get_object, Bucket="another", Key="a.txt")
    assert not allowed(reader.list_objects_v2, Bucket="another")
    for key in ("reports/a.json", "rejected/a.jsonl", "missing/a.jsonl", "receipts/a.json"):
        assert allowed(reader.put_object, Bucket=own, Key=key, Body=b"")
        assert not allowed(reader.put_object, Bucket="another", Key=key, Body=b"")
        assert allowed(reader.delete_object, Bucket=own, Key=key) == key.startswith("reports/")
    for key in ("a.txt", "a.jsonl", "reports.json", "other/reports/a.json"):
        assert not allowed(reader.put_object, Bucket=own, Key=key, Body=b"")
