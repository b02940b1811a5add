"""A file that was uploaded to the bucket: how it is found and read, and how documents about it are written."""

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

from .lines import DamagedFile, Line, gunzip, skip, split

# What the keys begin with that only the reader writes.
RECEIPTS, REJECTED, MISSING, STATES = RESERVED = ("receipts/", "rejected/", "missing/", "reports/")
# Bytes that are read at once: a connection that is read as slowly as records are sent would be closed on us.
RANGE = 2 * 1024 * 1024
ABSENT = ("404", "NoSuchKey", "NoSuchVersion")

CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8}, tcp_keepalive=True
)


logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells at INFO where it has its settings from


class UnreadableFile(RuntimeError):  # noqa: N818 - as DamagedFile
    """A file can't be read, or no further; the message names it."""


class Withdrawn(RuntimeError):  # noqa: N818 - as DamagedFile
    """A file is not there any more: it was deleted, or replaced in a bucket without versions."""


class Version(NamedTuple):
    """What S3's event is about: a version of an object."""

    bucket: str
    key: str
    id: str  # its ETag in a bucket without versions

    @classmethod
    def of(cls, event: dict[str, Any]) -> Version:
        """Return what S3's event is about."""
        told = event["detail"]["object"]
        return cls(event["detail"]["bucket"]["name"], told["key"], told.get("version-id") or told.get("etag") or "null")

    def beside(self, beginning: str, ending: str) -> str:
        """Return the key of a document about the latest version."""
        return f"{beginning}{self.key}.{ending}"

    def own(self, beginning: str, ending: str) -> str:
        """Return the key of a document about this version."""
        return f"{beginning}{self.key}.{self.id}.{ending}"

    def is_current(self) -> bool:
        """Tell whether this version is the latest one.

        Raises:
            Withdrawn: the object was deleted. In a bucket with versions this one can still be read.
        """
        head = _head(self.bucket, self.key)
        return self.id in (head.get("VersionId"), head["ETag"].strip('"'))


class File(NamedTuple):
    """An object of S3 as an event is about it."""

    bucket: str
    key: str
    pinned: dict[str, str]  # what S3's operations take so that they are about this version of it, and no other
    size: int  # bytes
    modified: int  # when it was uploaded, in ms since the epoch
    digest: str  # the same for the same content

    def lines(self, *, number: int, end: int) -> Iterator[Line]:
        """Yield the lines after the one of a number, which ended at the byte `end` of the text.

        Between them, and wherever else there was something to read, there is an empty line with its place.
        A compressed file is decompressed from its beginning: there is no other way into it.

        Raises:
            UnreadableFile: nothing at all can be read.
            Withdrawn: it was deleted.
        """
        compressed = self.key.endswith(".gz")
        chunks = skip(gunzip(_chunks(self, 0)), end) if compressed else _chunks(self, end)
        try:
            yield from split(chunks, number=number, end=end, places=True)
        except DamagedFile as damage:
            raise UnreadableFile(f"{self.key} can't be read: {damage}") from damage

    def first_date(self) -> int:
        """Return when a file of this name and content was uploaded first, in ms since the epoch.

        The first who asks writes the date down, so that the same content has the same date later.
        """
        key = f"{STATES}{self.key}.{self.digest}.date"
        if put(self.bucket, key, {"date": self.modified}, IfNoneMatch="*"):
            return self.modified
        return int((get(self.bucket, key) or {})["date"])


def find(event: dict[str, Any]) -> File:
    """Ask S3 for the file of an event.

    Raises:
        Withdrawn: there is no such file any more.
        ClientError: it may not be read.
    """
    (bucket, key, _), told = Version.of(event), event["detail"]["object"]
    pinned = {"VersionId": told["version-id"]} if told.get("version-id") else {}
    if not pinned and told.get("etag"):
        pinned = {"IfMatch": f'"{told["etag"]}"'}
    head = _head(bucket, key, **pinned, ChecksumMode="ENABLED")
    # With a key of KMS the same content has another ETag each time.
    sums = (head[name] for name in sorted(head) if re.fullmatch(r"Checksum(CRC|SHA)\w+", name))
    identity = f"{head['ContentLength']} {next(sums, head['ETag'])}"
    return File(
        bucket,
        key,
        pinned=pinned or {"IfMatch": head["ETag"]},
        size=head["ContentLength"],
        modified=int(head["LastModified"].timestamp() * 1000),
        digest=hashlib.sha256(identity.encode()).hexdigest()[:32],
    )


def _head(bucket: str, key: str, **pinned: str) -> dict[str, Any]:
    try:
        head: dict[str, Any] = s3().head_object(Bucket=bucket, Key=key, **pinned)
    except ClientError as error:
        if withdrawn := _withdrawn(error):
            raise withdrawn from error
        raise
    return head


def _withdrawn(error: ClientError) -> Withdrawn | None:
    """Return what an error says of the file; None if it says something else."""
    code = error.response["Error"]["Code"]
    if code in ("412", "PreconditionFailed"):
        return Withdrawn("the file was replaced")
    return Withdrawn("the file was deleted") if code in ABSENT else None


def get(bucket: str, key: str) -> dict[str, Any] | None:
    """Read a document; None if there is none."""
    try:
        answer = s3().get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    document: dict[str, Any] = json.loads(answer["Body"].read())
    return document


def put(bucket: str, key: str, document: dict[str, Any], **condition: str) -> bool:
    """Write a document as JSON; return whether the condition let it."""
    body = json.dumps(document).encode() + b"\n"
    try:
        s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise
        return False
    return True


def client(service: Any) -> Any:
    """Make a client of a service, in the region that Lambda names."""
    return boto3.client(service, region_name=os.environ.get("AWS_REGION"), config=CONFIG)


@cache
def s3() -> Any:
    """Return the client of S3, which is made once."""
    return client("s3")


def _chunks(file: File, start: int) -> Iterator[bytes]:
    for first in range(start, file.size, RANGE):
        if first > start:
            _head(file.bucket, file.key)  # it may have been deleted meanwhile
        yield _range(file, first, min(first + RANGE, file.size) - 1)


def _range(file: File, first: int, last: int) -> bytes:
    """Read a part of a file; again if the answer breaks off, which the SDK leaves to its caller."""
    wanted = {"Bucket": file.bucket, "Key": file.key, "Range": f"bytes={first}-{last}", **file.pinned}
    for attempt in range(3):
        try:
            content: bytes = s3().get_object(**wanted)["Body"].read()
        except BotoCoreError:
            if attempt == 2:
                raise
        except ClientError as error:
            if withdrawn := _withdrawn(error):
                raise withdrawn from error
            raise
        else:
            return content
    raise AssertionError("unreachable")
