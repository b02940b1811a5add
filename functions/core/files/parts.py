"""Lines that are kept in the bucket between two steps: in parts, which are joined to one object at the end.

S3 can't append to an object. A part is named by its content, so writing it again changes nothing, and no step takes
another's part for its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from .uploaded import ABSENT, STATES, Version, get, put, s3

PART = 5 * 1024 * 1024  # bytes: S3 takes no smaller part but the last (CreateMultipartUpload)
CONTENT_TYPE = "application/x-ndjson"

_END = "end"
_NAME = re.compile(f"[0-9a-f]{{32}}|{_END}")


class Cleared(RuntimeError):  # noqa: N818 - as DamagedFile
    """A part is not there any more: another step has settled the file."""


class Parts:
    """The parts of a file's lines that one step writes."""

    def __init__(self, version: Version, names: list[str]) -> None:
        """Add to the names of parts."""
        self._version, self._names = version, names
        self._buffer = bytearray()

    def add(self, line: bytes) -> None:
        """Keep a line."""
        self._buffer += line + b"\n"
        if len(self._buffer) >= PART:
            self.close()

    def close(self) -> None:
        """Write what is not yet written."""
        if self._buffer:
            name = hashlib.sha256(self._buffer).hexdigest()[:32]
            s3().put_object(Bucket=self._version.bucket, Key=_key(self._version, name), Body=self._buffer)
            self._names.append(name)
            self._buffer = bytearray()


def read(version: Version, name: str) -> list[bytes]:
    """Return the lines of a part."""
    return _content(version, name).split(b"\n")[:-1]


def publish(version: Version, key: str, names: list[str]) -> None:
    """Join parts to an object, unless that was done before. Without parts, an object of an earlier file is emptied."""
    place: dict[str, Any] = {"Bucket": version.bucket, "Key": key}
    mark = {"parts": hashlib.sha256(" ".join([version.id, *names]).encode()).hexdigest()}
    there = _head(place)
    if (there is None and not names) or (there and there["Metadata"] == mark):
        return
    described = {"ContentType": CONTENT_TYPE, "Metadata": mark}
    upload: dict[str, str] = {}
    parts: list[dict[str, Any]] = []
    for body in _bodies(version, names):
        if len(body) < PART and not parts:
            s3().put_object(**place, **described, Body=body)
            return
        upload = upload or {"UploadId": s3().create_multipart_upload(**place, **described)["UploadId"]}
        answer = s3().upload_part(**place, **upload, PartNumber=len(parts) + 1, Body=body)
        parts.append({"PartNumber": len(parts) + 1, "ETag": answer["ETag"]})
    s3().complete_multipart_upload(**place, **upload, MultipartUpload={"Parts": parts})


def decide(version: Version, end: dict[str, Any]) -> dict[str, Any]:
    """Return how a file ends: so, unless another step has decided it.

    Two steps may end at once, as when a message is delivered twice. If each wrote its own documents, the receipt of
    one might stand beside the lines of the other.

    Raises:
        Cleared: the other step has already settled the file.
    """
    if put(version.bucket, _key(version, _END), end, IfNoneMatch="*"):
        return end
    if decided := get(version.bucket, _key(version, _END)):
        return decided
    raise Cleared(f"{version.key} is settled")


def clear(version: Version) -> None:
    """Delete the parts of a file, also those that a killed step left."""
    beginning = _key(version, "")
    while True:
        listed = s3().list_objects_v2(Bucket=version.bucket, Prefix=beginning).get("Contents", [])
        parts = [{"Key": one["Key"]} for one in listed if _NAME.fullmatch(one["Key"].removeprefix(beginning))]
        if not parts:
            return
        s3().delete_objects(Bucket=version.bucket, Delete={"Objects": parts, "Quiet": True})


def _bodies(version: Version, names: list[str]) -> Iterator[bytearray]:
    """Yield the bodies of a multipart upload, at least one."""
    buffer = bytearray()
    for name in names:
        buffer += _content(version, name)
        if len(buffer) >= PART:
            yield buffer
            buffer = bytearray()
    if buffer or not names:
        yield buffer


def _content(version: Version, name: str) -> bytes:
    try:
        content: bytes = s3().get_object(Bucket=version.bucket, Key=_key(version, name))["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            raise Cleared(f"a part of {version.key} is not there any more") from error
        raise
    return content


def _head(place: dict[str, str]) -> dict[str, Any] | None:
    try:
        head: dict[str, Any] = s3().head_object(**place)
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    return head


def _key(version: Version, name: str) -> str:
    return f"{STATES}{version.key}.{version.id}/{name}"
