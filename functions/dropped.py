"""A file that was dropped into the bucket: found by S3's event, read in ranges, and what is written beside it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lines import DamagedFile, Line, gunzip, skip, split

REPORTS, REJECTED = "reports/", "rejected/"
RANGE = 4 * 1024 * 1024
"""Bytes that are read at once: a connection that is read as slowly as records are sent would be closed on us."""

CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8}, tcp_keepalive=True
)


logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells at INFO where it has its settings from


class UnreadableFile(RuntimeError):  # noqa: N818 - as DamagedFile
    """A file can't be read at all; the message names it."""


class Place(NamedTuple):
    """An object of S3."""

    bucket: str
    key: str


class File(NamedTuple):
    """An object of S3 as an event is about it.

    Attributes:
        bucket: its bucket.
        key: its key.
        pinned: what S3's operations take so that they are about this version of it, and no other.
        size: bytes.
        modified: when it was dropped, in ms since the epoch.
        digest: the same for the same content.
    """

    bucket: str
    key: str
    pinned: dict[str, str]
    size: int
    modified: int
    digest: str


def place_of(event: dict[str, Any]) -> Place:
    """Return where the object of S3's event is."""
    detail = event["detail"]
    return Place(detail["bucket"]["name"], detail["object"]["key"])


def find(event: dict[str, Any]) -> File:
    """Ask S3 for the file of an event.

    Raises:
        UnreadableFile: there is no such file any more, or it may not be read.
    """
    (bucket, key), told = place_of(event), event["detail"]["object"]
    pinned = {"VersionId": told["version-id"]} if told.get("version-id") else {}
    if not pinned and told.get("etag"):
        pinned = {"IfMatch": f'"{told["etag"]}"'}
    try:
        head = s3().head_object(Bucket=bucket, Key=key, **pinned, ChecksumMode="ENABLED")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        why = "it has changed since" if code in ("412", "PreconditionFailed") else f"S3 answers {code}"
        raise UnreadableFile(f"{key} in {bucket} can't be read: {why}") from error
    # With a key of KMS the same content has another ETag each time.
    sums = (head[name] for name in sorted(head) if re.fullmatch(r"Checksum(CRC|SHA)\w+", name))
    identity = f"{head['ContentLength']} {next(sums, head['ETag'])}"
    return File(
        bucket,
        key,
        pinned or {"IfMatch": head["ETag"]},
        size=head["ContentLength"],
        modified=int(head["LastModified"].timestamp() * 1000),
        digest=hashlib.sha256(identity.encode()).hexdigest()[:32],
    )


def lines_of(file: File, *, number: int, end: int) -> Iterator[Line]:
    """Yield the lines after the one of a number, which ended at the byte `end` of the text.

    A compressed file is decompressed from its beginning: there is no other way into it.

    Raises:
        UnreadableFile: nothing at all can be read.
    """
    compressed = file.key.endswith(".gz")
    chunks = skip(gunzip(_chunks(file, 0)), end) if compressed else _chunks(file, end)
    try:
        yield from split(chunks, number=number, end=end)
    except DamagedFile as damage:
        raise UnreadableFile(f"{file.key} in {file.bucket} can't be read: {damage}") from damage


def first_date(file: File) -> int:
    """Return when a file of this name and content was dropped first, in ms since the epoch.

    Whoever asks first writes it down, so that the same content again, or at the same time, has the same date.
    """
    key = f"{REPORTS}{file.key}.{file.digest}.date"
    try:
        put(file.bucket, key, {"date": file.modified}, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        answer = s3().get_object(Bucket=file.bucket, Key=key)
        return int(json.loads(answer["Body"].read())["date"])
    return file.modified


def put(bucket: str, key: str, document: dict[str, Any], **condition: str) -> None:
    """Write a document as JSON."""
    body = json.dumps(document).encode() + b"\n"
    s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition)


def client(service: Any) -> Any:
    """Make a client of a service, in the region that Lambda names."""
    return boto3.client(service, region_name=os.environ.get("AWS_REGION"), config=CONFIG)


@cache
def s3() -> Any:
    """Return the client of S3, which is made once."""
    return client("s3")


def _chunks(file: File, start: int) -> Iterator[bytes]:
    for first in range(start, file.size, RANGE):
        yield _range(file, first, min(first + RANGE, file.size) - 1)


def _range(file: File, first: int, last: int) -> bytes:
    """Read a part of a file; again where the answer breaks off, which the SDK leaves to its caller."""
    wanted = {"Bucket": file.bucket, "Key": file.key, "Range": f"bytes={first}-{last}", **file.pinned}
    for attempt in range(3):
        try:
            content: bytes = s3().get_object(**wanted)["Body"].read()
        except BotoCoreError:
            if attempt == 2:
                raise
        else:
            return content
    raise AssertionError("unreachable")
