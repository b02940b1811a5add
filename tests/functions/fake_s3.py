"""A fake S3 with versions, and a fake Lambda that keeps what it is given, as boto3's clients show them."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, ReadTimeoutError

BUCKET = "files"
DROPPED = datetime(2026, 1, 1, tzinfo=UTC)


class Version(NamedTuple):
    id: str
    content: bytes
    etag: str
    modified: datetime


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the test asked"}}, "Operation")


class Body:
    """What is left of an answer; it breaks off where the test asked."""

    def __init__(self, content: bytes, *, breaks: bool) -> None:
        self._content, self._breaks = content, breaks

    def read(self) -> bytes:
        if self._breaks:
            raise ReadTimeoutError(endpoint_url="https://s3")
        return self._content


class FakeS3:
    """One bucket. `breaks` answers break off next; `denied` is the code of a refusal that everything gets."""

    def __init__(self) -> None:
        self.versions: dict[str, list[Version]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.reads: list[tuple[str, int]] = []
        self.breaks = 0
        self.denied = ""

    def drop(self, key: str, content: bytes) -> dict[str, Any]:
        """Put a file as a user does, and return S3's event."""
        version = self._put(key, content)
        told = {"key": key, "size": len(content), "etag": version.etag.strip('"'), "version-id": version.id}
        return {
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": BUCKET}, "object": told},
        }

    def json(self, key: str) -> Any:
        return json.loads(self.versions[key][-1].content)

    def documents(self, key: str) -> list[Any]:
        return [json.loads(line) for line in self.versions[key][-1].content.splitlines()]

    def _put(self, key: str, content: bytes) -> Version:
        count = sum(map(len, self.versions.values()))
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        version = Version(f"v{count}", content, etag, DROPPED + timedelta(hours=count))
        self.versions.setdefault(key, []).append(version)
        return version

    def _find(self, given: dict[str, Any]) -> Version:
        assert given["Bucket"] == BUCKET
        if self.denied:
            raise refused(self.denied)
        wanted = given.get("VersionId")
        found = [one for one in self.versions.get(given["Key"], []) if wanted in (None, one.id)]
        if not found:
            raise refused("403")  # of who may not list
        if given.get("IfMatch") not in (None, found[-1].etag):
            raise refused("PreconditionFailed")
        return found[-1]

    def head_object(self, **given: Any) -> dict[str, Any]:
        found = self._find(given)
        return {"ContentLength": len(found.content), "ETag": found.etag, "LastModified": found.modified}

    def get_object(self, **given: Any) -> dict[str, Any]:
        content = self._find(given).content
        if "Range" in given:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", given["Range"]).groups())  # type: ignore[union-attr]
            assert first <= last < len(content)
            content = content[first : last + 1]
        self.reads.append((given["Key"], len(content)))
        self.breaks -= 1
        return {"Body": Body(content, breaks=self.breaks >= 0)}

    def put_object(self, *, Key: str, Body: bytes, **given: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's names
        assert given["Bucket"] == BUCKET
        assert Key.startswith(("reports/", "rejected/"))
        if given.get("IfNoneMatch") == "*" and Key in self.versions:
            raise refused("PreconditionFailed")
        return {"VersionId": self._put(Key, Body).id}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        self.uploads[upload := f"upload{len(self.uploads)}"] = {}
        return {"UploadId": upload}

    def upload_part(self, *, UploadId: str, PartNumber: int, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.uploads[UploadId][PartNumber] = Body
        return {"ETag": f"{UploadId}-{PartNumber}"}

    def upload_part_copy(self, *, CopySource: dict[str, Any], CopySourceRange: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        body = self.get_object(**CopySource, Range=CopySourceRange)["Body"].read()
        return {"CopyPartResult": self.upload_part(**given, Body=body)}

    def complete_multipart_upload(self, *, UploadId: str, MultipartUpload: Any, **given: Any) -> dict[str, Any]:  # noqa: N803
        parts = self.uploads.pop(UploadId)
        assert [(n, f"{UploadId}-{n}") for n in parts] == [
            (part["PartNumber"], part["ETag"]) for part in MultipartUpload["Parts"]
        ]
        contents = io.BytesIO(b"".join(parts.values()))
        assert all(len(part) >= 5 * 1024 * 1024 for part in list(parts.values())[:-1])
        return {"VersionId": self._put(given["Key"], contents.getvalue()).id}


class FakeLambda:
    """Keeps events; the one of the number `fails_at`, counted from 0, is refused, once it was taken if `taken`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.fails_at: int | None = None
        self.taken = False

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert InvocationType == "Event"
        assert len(Payload) <= 1_048_576
        fails = self.fails_at == len(self.events)
        if not fails or self.taken:
            self.events.append((FunctionName, json.loads(Payload)))
        if fails:
            self.fails_at = None
            raise refused("TooManyRequestsException")

    def to(self, function: str) -> list[Any]:
        return [event for name, event in self.events if name == function]
