"""A file that was uploaded to the bucket: found by S3's event, read in ranges, and what is written beside it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from functools import cache
from math import ceil
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .lines import DamagedFile, Line, gunzip, skip, split

REPORTS, REJECTED = "reports/", "rejected/"
RANGE = 4 * 1024 * 1024
"""Bytes that are read at once: a connection that is read as slowly as records are sent would be closed on us."""
PART = 8 * 1024 * 1024
"""Bytes: S3 takes 5 MB for a part at least, and 10,000 parts (CreateMultipartUpload)."""
COPIED = 1024 * 1024 * 1024
"""Bytes that are copied at once at most; S3 takes 5 GB (UploadPartCopy)."""
SHOWN = 1000
"""Characters of a line."""
CONTENT_TYPE = "application/x-ndjson"

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
        modified: when it was uploaded, in ms since the epoch.
        digest: the same for the same content.
    """

    bucket: str
    key: str
    pinned: dict[str, str]
    size: int
    modified: int
    digest: str


class Rejected:
    """The lines of a file that are no records: a document for each, in an object that appears when it is closed.

    Nothing can be appended to an object of S3. What does not fit into memory is uploaded in parts, and an invocation
    that goes on where another one ended takes over what that one wrote.
    """

    def __init__(self, s3: Any, place: Place, before: dict[str, Any] | None) -> None:
        """Begin anew, or with what an earlier invocation wrote: what its `close` returned."""
        self._s3, self._place = s3, {"Bucket": place.bucket, "Key": place.key}
        self._buffer = bytearray()
        self._upload: dict[str, str] = {}
        self._parts: list[dict[str, Any]] = []
        self._size = 0
        if before:
            self._take_over(before)

    def add(self, line: Line, reason: str) -> None:
        """Note why a line is no record."""
        content = line.content[: 4 * SHOWN].decode(errors="replace")[:SHOWN]
        document = {"line": line.number, "reason": reason, "content": content}
        self._buffer += json.dumps(document, ensure_ascii=False).encode() + b"\n"
        if len(self._buffer) > PART:
            self._put_part()

    def close(self) -> dict[str, Any] | None:
        """Write what there is, and return what it takes to go on with it; None if there is nothing.

        Where there is nothing now, the lines of an earlier file of that name are taken away.
        """
        if not self._buffer and not self._upload:
            if self._is_there():
                self._s3.put_object(**self._place, Body=b"")
            return None
        if self._upload:
            if self._buffer:
                self._put_part()
            parts = {"MultipartUpload": {"Parts": self._parts}}
            answer = self._s3.complete_multipart_upload(**self._place, **self._upload, **parts)
        else:
            self._size = len(self._buffer)
            answer = self._s3.put_object(**self._place, Body=bytes(self._buffer), ContentType=CONTENT_TYPE)
        return {"size": self._size, "version": answer.get("VersionId")}

    def _put_part(self) -> None:
        number = self._begin_part()
        answer = self._s3.upload_part(**self._place, **self._upload, PartNumber=number, Body=bytes(self._buffer))
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._size += len(self._buffer)
        self._buffer.clear()

    def _begin_part(self) -> int:
        """Return the number of the next part, of an upload that begins with the first."""
        if not self._upload:
            begun = self._s3.create_multipart_upload(**self._place, ContentType=CONTENT_TYPE)
            self._upload = {"UploadId": begun["UploadId"]}
        return len(self._parts) + 1

    def _take_over(self, before: dict[str, Any]) -> None:
        size: int = before["size"]
        version = {"VersionId": before["version"]} if before["version"] else {}
        if size <= PART:
            self._buffer += self._s3.get_object(**self._place, **version)["Body"].read()
            return
        count = ceil(size / COPIED)
        for index in range(count):
            first, last = size * index // count, size * (index + 1) // count - 1
            number = self._begin_part()
            answer = self._s3.upload_part_copy(
                **self._place,
                **self._upload,
                PartNumber=number,
                CopySource={**self._place, **version},
                CopySourceRange=f"bytes={first}-{last}",
            )
            self._parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        self._size = size

    def _is_there(self) -> bool:
        try:
            return bool(self._s3.head_object(**self._place)["ContentLength"])
        except ClientError:  # a role that may not list is told 403 of what is not there
            return False


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
    """Return when a file of this name and content was uploaded first, in ms since the epoch.

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
