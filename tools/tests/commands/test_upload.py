"""The command `upload`, as a user runs it, on the embedded AWS; and what else an operator sees of files."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import upload
from pipeline.records import bucket
from tests.deployed import ROOT, STACK_NAME, DeployedStack

from ..conftest import Ran
from ..fake_aws import FakeAws
from ..local.test_by_file import denied, paused, put, settled
from ..stack.samples import record

Run = Callable[..., Ran]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "POLL", 0.1)
    monkeypatch.setattr(upload, "LETTERS", 2)


def rows(ran: Ran) -> list[list[str]]:
    return [line.split("\t") for line in ran.out.splitlines()[1:]]


def test_files_are_settled_and_their_lines_counted(
    embedded_with_files: DeployedStack, operate: Run, records: Write, tmp_path: Path
) -> None:
    plain = records(*(record(number) for number in range(5)), name="a.jsonl")
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(record(7)).encode()))
    ran = operate("upload", plain, packed, "--prefix", "in/", "--wait")
    assert ran.code == 0, ran
    assert [row[:7] for row in rows(ran)] == [
        ["in/a.jsonl", "settled", "5", "5", "0", "0", "0"],
        ["in/b.jsonl.gz", "settled", "1", "1", "0", "0", "0"],
    ]
    assert "in/a.jsonl was read. The reader looks for its 5 lines in the table from" in ran.err
    assert len(embedded_with_files.items()) == 6


def test_while_the_reader_is_paused_files_wait_and_status_shows_them(
    embedded_with_files: DeployedStack, operate: Run, records: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, states = embedded_with_files, {}
    with paused(stack):
        assert operate("upload", records(record(1)), "--prefix", "waits/").code == 0
        status = dict(row for row in rows(operate("status")) if len(row) == 2)
        assert re.search(r"1 waiting.*, the oldest is waits/records\.jsonl of ", status["files in work"])
        states = json.loads(operate("status", "--json").out)["files_by_state"]
        assert states["waiting"] == ["waits/records.jsonl"]
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs.files_url)
        monkeypatch.setattr(bucket, "DELIVERED", 0)
        health = json.loads(operate("status", "--json").out)
        assert health["files_by_state"]["announced_to_nobody"] == ["waits/records.jsonl"]
    place = f"s3://{stack.outputs.bucket}/waits/records.jsonl"
    assert f"aws s3 cp {place} {place} --metadata-directive REPLACE" in operate("status").err
    again = {"Bucket": stack.outputs.bucket, "Key": "waits/records.jsonl"}
    version = stack.client("s3").copy_object(**again, CopySource=again, MetadataDirective="REPLACE")["VersionId"]
    assert settled(stack, "waits/records.jsonl", version).is_whole


def waiting_letter(stack: DeployedStack, operate: Run) -> list[str]:
    """Wait for a dead letter, and return its row."""
    deadline = time.monotonic() + 60
    while not (found := rows(operate("dead-letters"))):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found[0]


def test_a_file_that_the_reader_fails_on_for_good_is_a_dead_letter_that_redrive_settles(
    embedded_with_files: DeployedStack, operate: Run
) -> None:
    stack, key = embedded_with_files, "fails.jsonl"
    sqs, attributes = stack.client("sqs"), {"QueueUrl": stack.outputs.files_url, "AttributeNames": ["RedrivePolicy"]}
    known = sqs.get_queue_attributes(**attributes)["Attributes"]
    once = json.dumps({**json.loads(known["RedrivePolicy"]), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=stack.outputs.files_url, Attributes={"RedrivePolicy": once})
    try:
        with denied(stack, "s3:GetObject"):
            put(stack, key, json.dumps(record(1)).encode())
            letter = waiting_letter(stack, operate)
    finally:
        sqs.set_queue_attributes(QueueUrl=stack.outputs.files_url, Attributes=known)
    assert letter[1:3] == ["reader", key]
    assert "it failed each time that it was tried; the reader's log says why" in letter
    ran = operate("redrive", "--yes", "--settle")
    assert (ran.code, ran.counts["files with every line stored"]) == (0, 1), ran
    assert len(stack.items()) == 1


def test_what_eventbridge_could_not_put_into_the_queue_is_redriven_and_settled(
    embedded_with_files: DeployedStack, operate: Run
) -> None:
    stack, key = embedded_with_files, "late.jsonl"
    sqs, attributes = stack.client("sqs"), {"QueueUrl": stack.outputs.files_url, "AttributeNames": ["Policy"]}
    known = sqs.get_queue_attributes(**attributes)["Attributes"]
    document = json.loads(known["Policy"])
    document["Statement"] = [one for one in document["Statement"] if one["Effect"] == "Deny"]
    sqs.set_queue_attributes(QueueUrl=stack.outputs.files_url, Attributes={"Policy": json.dumps(document)})
    try:
        put(stack, key, json.dumps(record(1)).encode())
        letter = waiting_letter(stack, operate)
    finally:
        sqs.set_queue_attributes(QueueUrl=stack.outputs.files_url, Attributes=known)
    assert letter[1:3] == ["reader", key]
    ran = operate("redrive", "--yes", "--settle")
    assert (ran.code, ran.counts["files with every line stored"]) == (0, 1), ran


RECEIPT = {"lines": 3, "rejected": 1, "stored": 1, "different": 0, "missing": 1, "sent_again": 2, "seconds": 7.5}
STATE = {"uploaded": 5, "due": 0, "line": 1, "end": 9, "accepted": 1, "rejected": 0, "stored": 0, "open": 1}


def test_without_waiting_the_file_is_there_and_nothing_more_is_said(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.add_bucket()
    ran = operate("upload", records(record(1)), "--prefix", "in/")
    assert (ran.code, ran.out, ran.err) == (0, "", "1 file is in s3://files/in/\n")
    assert (aws.calls["PutObject"], aws.calls["GetObject"]) == (1, 0)


@pytest.mark.parametrize("name", ["records.jsonl", "records.jsonl.v1"])  # the latter if it was replaced meanwhile
def test_what_is_not_stored_is_named_with_where_it_is(aws: FakeAws, operate: Run, records: Write, name: str) -> None:
    aws.add_bucket()
    aws.put(record(0), error="before")

    def read(key: str, version: str) -> None:
        now = int(time.time() * 1000)
        aws.put_object(f"receipts/{name}.json", RECEIPT | {"version": version, "began": now})
        aws.put([record(1), record(2)], error="since", sent=now)

    aws.on_put = read
    ran = operate("upload", records(record(1)), "--wait")
    assert (ran.code, rows(ran)) == (1, [["records.jsonl", "settled", *"31101", "2", "7.5"]])
    assert f"The lines of records.jsonl that are no records are in s3://files/rejected/{name}.jsonl" in ran.err
    assert f"The lines of records.jsonl that are missing are in s3://files/missing/{name}.jsonl" in ran.err
    assert [line for line in ran.err.splitlines() if "Dead letters" in line] == [
        "Dead letters since: 2 of the validator: since."
    ]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "not read yet"),
        ({"version": "v1", "round": 0}, "not read yet"),
        ({"version": "v1", "round": 1}, "being settled"),
        ({"version": "v0", "round": 1}, "not read yet"),
    ],
)
def test_a_file_that_is_not_settled_in_time_is_named_with_how_far_it_is(
    aws: FakeAws, operate: Run, records: Write, state: Any, told: str
) -> None:
    aws.add_bucket()
    if state:
        aws.put_object("reports/records.jsonl.json", STATE | state)
    ran = operate("upload", records(record(1)), "--wait", "--patience", "0.2")
    assert (ran.code, rows(ran)[0][1]) == (1, told)
    assert ("records.jsonl was read. The reader looks for its 1 line in" in ran.err) == (told == "being settled")


def test_a_file_that_fails_is_waited_for_no_longer(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.add_bucket()
    event = {"detail": {"bucket": {"name": "files"}, "object": {"key": "records.jsonl"}}}
    aws.put(event, of="reader", error="before")
    aws.on_put = lambda *_: aws.put(event, of="reader", error="it is damaged", sent=int(time.time() * 1000)) and None
    ran = operate("upload", records(record(1)), "--wait")
    assert (ran.code, rows(ran)[0][1]) == (1, "failed: it is damaged")


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
        ("ä" * 470, "must have at most 946 bytes, because the reader adds to it (got 953)"),
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
    iam.create_user(UserName="uploader")
    key: Any = iam.create_access_key(UserName="uploader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    places = {"REGION": "us-east-1", "ACCOUNT": "000000000000", "STACK": STACK_NAME}
    places |= {"FilesBucketName": outputs.bucket, "DlqArn": outputs.queue_arn}
    rights = [
        {"Effect": "Allow", "Action": action, "Resource": re.sub("|".join(places), lambda m: places[m[0]], resource)}
        for action, resource in documented()
    ]
    assert len(rights) == 6
    path = records(record(1))

    prefixes = (f"{number}/" for number in range(10))

    def run(granted: list[dict[str, str]]) -> Ran:
        document = json.dumps({"Version": "2012-10-17", "Statement": granted})
        iam.put_user_policy(UserName="uploader", PolicyName="upload", PolicyDocument=document)
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
        iam.delete_user_policy(UserName="uploader", PolicyName="upload")
        iam.delete_access_key(UserName="uploader", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="uploader")
