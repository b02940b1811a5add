"""The command `drop`, as a user runs it, on the embedded AWS; and what else an operator sees of files."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import upload
from pipeline.local.asynchronous import Faults, QueueOptions
from tests.deployed import ROOT, STACK_NAME, DeployedStack

from ..conftest import Ran
from ..fake_aws import FakeAws
from ..stack.samples import record

Run = Callable[..., Ran]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "POLL", 0.1)
    monkeypatch.setattr(upload, "LETTERS", 2)


def rows(ran: Ran) -> list[list[str]]:
    return [line.split("\t") for line in ran.out.splitlines()[1:]]


def test_files_are_read_and_their_lines_counted(
    embedded_with_files: DeployedStack, operate: Run, records: Write, tmp_path: Path
) -> None:
    plain = records(*(record(number) for number in range(5)), name="a.jsonl")
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(record(7)).encode()))
    ran = operate("upload", plain, packed, "--prefix", "in/", "--wait")
    assert ran.code == 0, ran
    assert [row[:5] for row in rows(ran)] == [
        ["in/a.jsonl", "read", "5", "5", "0"],
        ["in/b.jsonl.gz", "read", "1", "1", "0"],
    ]
    embedded_with_files.drain()
    assert len(embedded_with_files.items()) == 6


def test_lines_that_are_no_records_and_dead_letters_are_named(
    embedded_with_files: DeployedStack, operate: Run, records: Write
) -> None:
    path = records(record(1), "{broken")
    assert operate("upload", path, "--wait").code == 1
    ran = operate("upload", path, "--wait")  # whose report is not that of the first time
    assert rows(ran)[0][:5] == ["records.jsonl", "read", "2", "1", "1"]
    assert f"s3://{embedded_with_files.outputs.bucket}/rejected/records.jsonl.jsonl" in ran.err


def test_without_waiting_the_file_is_there_and_nothing_more_is_said(
    embedded_with_files: DeployedStack, operate: Run, records: Write
) -> None:
    ran = operate("upload", records(record(1)))
    assert (ran.code, ran.out) == (0, "")
    assert embedded_with_files.client("s3").head_object(Bucket=embedded_with_files.outputs.bucket, Key="records.jsonl")


def test_what_is_not_read_in_time_is_said(embedded_with_files: DeployedStack, operate: Run, records: Write) -> None:
    embedded_with_files.aws.restart_queue(QueueOptions(faults=Faults(stop_after=0)))
    ran = operate("upload", records(record(1)), "--wait", "--patience", "0.2")
    assert ran.code == 1
    assert rows(ran)[0][1] == "not read yet"


def test_status_shows_the_files_in_work(embedded_with_files: DeployedStack, operate: Run, records: Write) -> None:
    embedded_with_files.aws.restart_queue(QueueOptions(faults=Faults(stop_after=0)))
    operate("upload", records(record(1)))
    status = dict(row for row in rows(operate("status")) if len(row) == 2)
    assert re.fullmatch(r"1, the oldest is records\.jsonl of \d{4}-\d\d-\d\d \d\d:\d\d UTC", status["files in work"])
    assert json.loads(operate("status", "--json").out)["filesInWork"] == ["records.jsonl"]
    embedded_with_files.aws.restart_queue(QueueOptions())
    operate("upload", records(record(1)), "--wait")
    assert dict(row for row in rows(operate("status")) if len(row) == 2)["files in work"] == "0"


def test_a_file_that_fails_is_named(
    embedded_with_files: DeployedStack, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "key_of", lambda source, prefix: "in/a.jsonl.gz")
    path = records(record(1))  # which is no gzip file
    ran = operate("upload", path, "--prefix", "in/", "--wait", "--patience", "30")
    assert ran.code == 1
    (row,) = rows(ran)
    assert row[0] == "in/a.jsonl.gz"
    assert row[1].startswith("failed: in/a.jsonl.gz in ")
    letter, *_ = rows(operate("dead-letters"))
    assert letter[1:3] == ["reader", "in/a.jsonl.gz"]


def test_redrive_starts_a_file_again(embedded_with_files: DeployedStack, operate: Run) -> None:
    stack, functions = embedded_with_files, embedded_with_files.client("lambda")
    event = {"detail": {"bucket": {"name": stack.outputs.bucket}, "object": {"key": "late.jsonl"}}}
    functions.invoke(FunctionName=stack.outputs.aliases["reader"], InvocationType="Event", Payload=json.dumps(event))
    stack.drain()
    stack.aws.restart_queue(QueueOptions(faults=Faults(stop_after=0)))  # the file's own event comes to nothing
    stack.client("s3").put_object(Bucket=stack.outputs.bucket, Key="late.jsonl", Body=json.dumps(record(1)).encode())
    stack.aws.restart_queue(QueueOptions())
    assert operate("redrive", "--yes", "--stage", "reader").counts["sent again"] == 1
    stack.drain()
    assert len(stack.items()) == 1


def test_a_stack_without_a_bucket_takes_no_files(aws: FakeAws, operate: Run, records: Write) -> None:
    ran = operate("upload", records(record(1)))
    assert ran.code == 2
    assert ran.error == f"The stack '{STACK_NAME}' has no bucket of files: deploy it with FilesBucket=true."


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        *(
            (own, "can't begin with receipts/ or rejected/")
            for own in ("reports/", "rejected/", "receipts/", "missing/")
        ),
        ("ä" * 470, "must have at most 946 bytes, as the reader writes under longer ones (got 953)"),
    ],
)
def test_a_key_that_belongs_to_the_reader_or_is_too_long_for_it_is_refused(
    aws: FakeAws, operate: Run, records: Write, prefix: str, reason: str
) -> None:
    aws.outputs["FilesBucketName"] = "files"
    ran = operate("upload", records(record(1)), "--prefix", prefix)
    assert (ran.code, reason in ran.error, aws.calls["PutObject"]) == (2, True, 0)


def documented() -> list[tuple[str, str]]:
    return re.findall(r"(?m)^\| `(\w+:\w+)` \| `(.+?)` \|", (ROOT / "docs" / "commands.md").read_text())


def test_the_documented_rights_suffice_and_none_is_superfluous(
    embedded_with_files: DeployedStack, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam, outputs = embedded_with_files.client("iam"), embedded_with_files.outputs
    iam.create_user(UserName="dropper")
    key: Any = iam.create_access_key(UserName="dropper")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    places = {"REGION": "us-east-1", "ACCOUNT": "000000000000", "STACK": STACK_NAME}
    places |= {"FilesBucketName": outputs.bucket, "DlqArn": outputs.queue_arn}
    rights = [
        {"Effect": "Allow", "Action": action, "Resource": re.sub("|".join(places), lambda m: places[m[0]], resource)}
        for action, resource in documented()
    ]
    assert len(rights) == 5
    path = records(record(1))

    prefixes = (f"{number}/" for number in range(10))

    def run(granted: list[dict[str, str]]) -> Ran:
        document = json.dumps({"Version": "2012-10-17", "Statement": granted})
        iam.put_user_policy(UserName="dropper", PolicyName="drop", PolicyDocument=document)
        return operate("upload", path, "--prefix", next(prefixes), "--wait", "--patience", "10")

    try:
        for missing in rights:
            if missing["Action"] == "s3:ListBucket":
                continue  # MiniStack says that there is no such object to who may not list, too
            assert (missing["Action"], run([right for right in rights if right != missing]).code) == (
                missing["Action"],
                3,
            )
        assert run(rights).code == 0
    finally:
        iam.delete_user_policy(UserName="dropper", PolicyName="drop")
        iam.delete_access_key(UserName="dropper", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="dropper")
