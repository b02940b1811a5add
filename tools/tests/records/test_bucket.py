"""The bucket of files: uploads, receipts, what the reader sent for each line, and the files without a receipt."""

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.errors import AwsError, MisuseError
from pipeline.records import bucket as module
from pipeline.records.bucket import (
    LONGEST_KEY,
    Bucket,
    FilesQueue,
    Receipt,
    Standing,
    announcement,
    key_of,
    require_key,
    version_of,
)
from pipeline.records.lines import InvalidLineError, read_lines
from pipeline.records.source import Source

from ..fake_aws import Failure, FakeAws
from ..stack.samples import record

Write = Callable[..., Path]
RECEIPT = Receipt(3, 0, 3, 0, 0, 0, 1.5, "v1", 7)
STATE = {"version": "v1", "uploaded": 5, "round": 0, "due": 0, "line": 1, "end": 9, "accepted": 1, "rejected": 0}
STATE |= {"stored": 0, "open": 1}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def bucket(aws: FakeAws) -> Bucket:
    return Bucket(boto3.client("s3"), "files")


class Queue:
    """The queue of files, with messages in each state."""

    def __init__(self, **counts: int) -> None:
        self.counts, self.calls = counts, 0

    def get_queue_attributes(self, *, AttributeNames: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.calls += 1
        told = {f"ApproximateNumberOfMessages{state}": str(count) for state, count in self.counts.items()}
        return {"Attributes": {name: told[name] for name in AttributeNames if name in told}}


def test_the_messages_of_the_queue_count_in_each_state() -> None:
    assert FilesQueue(Queue(NotVisible=2, Delayed=40), "url").messages() == 42


@pytest.mark.parametrize(
    ("told", "version"),
    [
        *(({"version-id": "v1", "etag": "e"}, "v1"), ({"etag": "e"}, "e")),
        *((told, None) for told in ({"version-id": 7}, {}, "key")),
    ],
)
def test_the_version_of_a_file_is_its_id_or_else_its_etag(told: object, version: str | None) -> None:
    assert version_of({"detail": {"object": told}}) == version
    assert version_of({"detail": told}) is version_of(told) is None


def test_a_file_is_announced_again_by_a_copy_to_itself() -> None:
    place = "'s3://files/in/a b.jsonl'"
    assert announcement("files", "in/a b.jsonl") == f"aws s3 cp {place} {place} --metadata-directive REPLACE"


@pytest.mark.parametrize(
    ("name", "packed", "key"),
    [
        *(("a.jsonl", False, "in/a.jsonl"), ("a.txt", False, "in/a.txt.jsonl")),
        *(("a.jsonl.gz", True, "in/a.jsonl.gz"), ("a.jsonl", True, "in/a.jsonl.jsonl.gz")),
    ],
)
def test_a_key_ends_as_the_reader_has_to_know_it(tmp_path: Path, name: str, packed: bool, key: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"{}\n") if packed else b"{}\n")
    with Source(path) as source:
        assert key_of(source, prefix="in/") == key


def test_a_key_leaves_room_for_what_the_reader_writes_under_it() -> None:
    require_key("x" * LONGEST_KEY)
    with pytest.raises(MisuseError, match="at most 946 bytes"):
        require_key("x" * (LONGEST_KEY + 1))


def test_an_upload_returns_its_version_and_leaves_the_file_open(aws: FakeAws, bucket: Bucket, records: Write) -> None:
    sizes: list[int] = []
    with Source(records(record(1))) as source:
        versions = [bucket.upload(source, "a.jsonl", sizes.append) for _ in range(2)]
        assert [line.number for line in source.lines()] == [1]
        assert (versions, sum(sizes)) == (["v1", "v2"], 2 * source.size)  # type: ignore[operator]
        aws.failures["PutObject"] = [Failure(403, "AccessDenied")]
        with pytest.raises(AwsError, match="AWS denies PutObject"):
            bucket.upload(source, "a.jsonl")


def test_a_receipt_is_that_of_the_version_wherever_it_is(aws: FakeAws, bucket: Bucket) -> None:
    assert bucket.receipt("a.jsonl", "v1") is None
    aws.put_object("receipts/a.jsonl.json", RECEIPT._asdict() | {"version": "v2", "later": 1})
    assert bucket.receipt("a.jsonl", "v1") is None
    assert bucket.receipt("a.jsonl", "v2") == RECEIPT._replace(version="v2")
    aws.put_object("receipts/a.jsonl.v1.json", RECEIPT._asdict())
    assert bucket.receipt("a.jsonl", "v1") == RECEIPT
    aws.failures["GetObject"] = [Failure(403, "AccessDenied")]
    with pytest.raises(Exception, match="AccessDenied"):
        bucket.receipt("a.jsonl", "v1")


@pytest.mark.parametrize(
    ("change", "whole"), [({}, True), ({"stored": 2, "different": 1}, False), ({"reason": "deleted"}, False)]
)
def test_a_file_is_whole_if_it_was_read_to_its_end_and_each_line_is_stored(change: Any, whole: bool) -> None:
    assert RECEIPT._replace(**change).is_whole is whole


def test_what_the_reader_sent_is_known_line_by_line(aws: FakeAws, bucket: Bucket) -> None:
    lines = list(read_lines(io.BytesIO(b'{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n{"id":"d"}\n')))
    aws.put_object("rejected/a.jsonl.jsonl", *({"line": number, "reason": f"reason {number}"} for number in (1, 3)))

    def sent() -> list[str]:
        as_sent, found = bucket.as_read("a.jsonl"), list[str]()
        for line in lines:
            try:
                found.append(as_sent(line).content.decode())
            except InvalidLineError as error:
                found.append(str(error))
        return found

    assert sent() == ["reason 1", '{"id":"b"}', "reason 3", '{"id":"d"}']
    aws.put_object("reports/a.jsonl.part")
    aws.put_object("reports/a.jsonl.v1.date", {"date": 1000})
    stamped = [f'{{"timestamp": {1001 + line.number - 1}, {line.content.decode()[1:]}' for line in lines]
    assert sent() == ["reason 1", stamped[1], "reason 3", stamped[3]]


def in_work(bucket: Bucket, **counts: int) -> dict[str, Standing]:
    return {file.key: file.standing for file in bucket.in_work(FilesQueue(Queue(**counts), "url")).files}


def test_files_without_a_receipt_or_with_an_older_one_are_in_work_oldest_first(aws: FakeAws, bucket: Bucket) -> None:
    for key, at in {"new": 12, "old": 10, "done": 10, "again": 12, "same": 11}.items():
        aws.put_object(f"{key}.jsonl", modified=f"2026-01-01T{at}:00:00Z")
    for key in ("done", "again", "same"):
        aws.put_object(f"receipts/{key}.jsonl.json", modified="2026-01-01T11:00:00Z")
    for key in ("rejected/old.jsonl", "missing/old.jsonl.gz", "reports/x.jsonl", "readme.txt"):
        aws.put_object(key)
    for page in (1000, 1):
        aws.page = page
        assert list(in_work(bucket, Delayed=1)) == ["old.jsonl", "again.jsonl", "new.jsonl"]


def test_each_file_in_work_is_as_far_as_its_state_and_the_queue_say(aws: FakeAws, bucket: Bucket) -> None:
    at = int(NOON.timestamp() * 1000)
    for key in ("read", "settled", "replaced"):
        aws.put_object(f"{key}.jsonl", modified="2026-01-01T12:00:00Z")
    aws.put_object("late.jsonl", modified=f"{datetime.now(UTC) - timedelta(seconds=10):%Y-%m-%dT%H:%M:%SZ}")
    aws.put_object("reports/read.jsonl.json", STATE | {"uploaded": at})
    aws.put_object("reports/settled.jsonl.json", STATE | {"uploaded": at, "round": 1})
    aws.put_object("reports/replaced.jsonl.json", STATE)
    known = {"read.jsonl": Standing.READ, "settled.jsonl": Standing.SETTLED, "late.jsonl": Standing.WAITING}
    assert in_work(bucket) == {**known, "replaced.jsonl": Standing.UNANNOUNCED}
    assert in_work(bucket, NotVisible=1) == {**known, "replaced.jsonl": Standing.WAITING}


def test_of_many_objects_only_some_are_looked_at(aws: FakeAws, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEYS", 3)
    monkeypatch.setattr(module, "MOST_STATES", 1)
    aws.page = 2
    for number in range(6):
        aws.put_object(f"{number}.jsonl")
        aws.put_object(f"reports/{number}.jsonl.json", STATE | {"uploaded": 1_767_225_600_000})
    found = bucket.in_work(FilesQueue(Queue(), "url"))
    waiting = [(f"{number}.jsonl", "WAITING") for number in range(1, 4)]
    assert [(file.key, file.standing.name) for file in found.files] == [("0.jsonl", "READ"), *waiting]
    assert (found.whole, len(found.of(Standing.WAITING))) == (False, 3)
    aws.page = 1000
    assert bucket.in_work(FilesQueue(Queue(), "url")).whole


def test_where_no_file_is_left_the_queue_is_not_asked(aws: FakeAws, bucket: Bucket) -> None:
    queue = Queue()
    assert bucket.in_work(FilesQueue(queue, "url")) == ((), True)
    assert queue.calls == 0
