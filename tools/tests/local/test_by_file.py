"""A file that is dropped comes into the table through S3, the rule, the queue and the reader, with IAM."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from pipeline.commands.shared.feeding import feed_by_file, judged
from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from pipeline.records.judgement import Outcome
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source
from tests.deployed import DeployedStack, Item

LINES = 2000


def record(number: int) -> dict[str, Any]:
    return {"id": f"order-{number}", "timestamp": number + 1, "data": {"total": number}}


def lines(count: int = LINES) -> list[str]:
    """One line in a hundred is bad: no JSON, or no record."""
    bad = {0: "{broken", 100: json.dumps({"id": "x"})}
    return [bad.get(number % 200) or json.dumps(record(number)) for number in range(count)]


GOOD = {(f"order-{number}", number + 1) for number in range(LINES) if number % 100}


def drop(stack: DeployedStack, key: str, content: bytes) -> None:
    """Put a file, and wait until its event is in the queue."""
    known = stack.aws.queue_state()["accepted"]
    stack.client("s3").put_object(Bucket=stack.outputs.bucket, Key=key, Body=content)
    deadline = time.monotonic() + 10
    while (state := stack.aws.queue_state())["accepted"] == known:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


def documents(stack: DeployedStack, key: str) -> list[Any]:
    answer = stack.client("s3").get_object(Bucket=stack.outputs.bucket, Key=key)
    return [json.loads(line) for line in answer["Body"].read().splitlines()]


def keys(items: list[Item]) -> set[tuple[str, int]]:
    found = {(item.id, item.timestamp) for item in items}
    assert len(found) == len(items)
    return found


@pytest.mark.parametrize(("key", "packed"), [("in/a.jsonl", bytes), ("a.jsonl.gz", gzip.compress)])
def test_every_good_line_is_stored_once_and_every_bad_one_explained_and_again_nothing_twice(
    stack_with_files: DeployedStack, key: str, packed: Callable[[bytes], bytes]
) -> None:
    content = packed("\n".join(lines()).encode())
    for _ in range(2):
        drop(stack_with_files, key, content)
        stack_with_files.drain()
        assert keys(stack_with_files.items()) == GOOD
        (report,) = documents(stack_with_files, f"reports/{key}.json")
        assert (report["lines"], report["accepted"], report["rejected"]) == (LINES, LINES - 10, 10)
        rejected = documents(stack_with_files, f"rejected/{key}.jsonl")
        assert [one["line"] for one in rejected] == list(range(1, LINES + 1, 200))
        assert [failure.stage for failure in stack_with_files.failures()] == ["validator"] * 10


def test_a_file_without_timestamps_that_is_dropped_twice_is_stored_once(stack_with_files: DeployedStack) -> None:
    content = "\n".join(json.dumps({"id": "one", "data": number}) for number in range(300)).encode()
    for _ in range(2):
        drop(stack_with_files, "a.jsonl", content)
    stack_with_files.drain()
    assert len(keys(stack_with_files.items())) == 300
    assert stack_with_files.failures() == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_fails_nothing_is_lost_and_nothing_stored_twice(stack_with_files: DeployedStack, seed: int) -> None:
    stack_with_files.reset(QueueOptions(Clock(0.3), Faults(fail_rate=0.4, seed=seed)))
    drop(stack_with_files, "a.jsonl", "\n".join(lines(800)).encode())
    stack_with_files.drain()
    failures = stack_with_files.failures()
    lost_files = [failure for failure in failures if failure.stage == "reader"]
    dead = {origin.get("id") for one in failures if one.stage != "reader" for origin in one.origins}
    stored = keys(stack_with_files.items())
    assert stored <= GOOD
    if not lost_files:
        assert {one for one in GOOD if one[1] <= 800 and one[0] not in dead} <= stored


def test_a_run_by_file_says_what_became_of_each_line(stack_with_files: DeployedStack, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    undated = json.dumps({"id": "undated", "data": 1})
    path.write_bytes(gzip.compress("\n".join([*lines(300), undated]).encode()))
    aws, outputs, console = stack_with_files.aws, stack_with_files.outputs, Console(quiet=True)
    with Source(path) as source:
        report = judged(aws, outputs, feed_by_file(aws, outputs, source, console), Outcomes(), console)
    assert [report.count(outcome) for outcome in Outcome] == [298, 1, 2, 0, 0, 0]
    assert report.problems == ["2 of 301 records were refused"]


def test_a_file_that_cannot_be_read_is_a_dead_letter_of_the_reader(stack_with_files: DeployedStack) -> None:
    drop(stack_with_files, "in/a.jsonl.gz", b"no gzip")
    stack_with_files.drain()
    (failure,) = stack_with_files.failures()
    assert failure.stage == "reader"
    assert "in/a.jsonl.gz in" in failure.letter.error
    assert failure.letter.event["detail"]["object"]["key"] == "in/a.jsonl.gz"


def test_what_the_reader_writes_starts_nothing(stack_with_files: DeployedStack) -> None:
    drop(stack_with_files, "a.jsonl", b"{broken")
    state = stack_with_files.drain()
    assert documents(stack_with_files, "rejected/a.jsonl.jsonl")
    assert state["accepted"] == 1


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
    import boto3

    yield boto3.client(
        "s3",
        endpoint_url=aws.endpoint,
        verify=aws.environment["AWS_CA_BUNDLE"],
        region_name="us-east-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
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
    assert not allowed(reader.list_objects_v2, Bucket=own)
    for key in ("reports/a.json", "rejected/a.jsonl"):
        assert allowed(reader.put_object, Bucket=own, Key=key, Body=b"")
        assert not allowed(reader.put_object, Bucket="another", Key=key, Body=b"")
        assert not allowed(reader.delete_object, Bucket=own, Key=key)
    for key in ("a.txt", "a.jsonl", "reports.json", "other/reports/a.json"):
        assert not allowed(reader.put_object, Bucket=own, Key=key, Body=b"")
