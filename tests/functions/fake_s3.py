"""A fake S3: one bucket with versions, delete markers, conditional writes and uploads in parts, as boto3 shows it."""

import hashlib
import io
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, ReadTimeoutError

from core.files.uploaded import RESERVED

BUCKET = "files"
UPLOADED = datetime(2026, 1, 1, tzinfo=UTC)


class Version(NamedTuple):
    id: str
    content: bytes
    etag: str
    modified: datetime
    metadata: dict[str, str]
    is_marker: bool = False


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as the test asked"}}, "Operation")


class Body:
    """What is left of an answer; it breaks off if the test asked."""

    def __init__(self, content: bytes, *, breaks: bool) -> None:
        self._content, self._breaks = content, breaks

    def read(self) -> bytes:
        if self._breaks:
            raise ReadTimeoutError(endpoint_url="https://s3")
        return self._content


class FakeS3:
    """One bucket. `breaks` answers break off next; `denied` is the code of a refusal that everything gets.

    Each operation is done within what `around` returns for its name.
    """

    def __init__(self, *, part: int = 5 * 1024 * 1024) -> None:
        self.versions: dict[str, list[Version]] = {}
        self.uploads: dict[str, tuple[dict[str, str], dict[int, bytes]]] = {}
        self.reads: list[tuple[str, int]] = []
        self.breaks = 0
        self.denied = ""
        self.around: Callable[[str], AbstractContextManager[None]] = lambda name: nullcontext()
        self._part = part
        self._count = 0

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if not name.endswith(("_object", "_objects", "_objects_v2", "_upload", "upload_part")) or name.startswith("_"):
            return found

        def operation(**given: Any) -> Any:
            assert given.get("Bucket") == BUCKET
            with self.around(name):
                if self.denied:
                    raise refused(self.denied)
                return found(**given)

        return operation

    def put(self, key: str, content: bytes) -> dict[str, Any]:
        """Put a file as a user does, and return S3's event."""
        version = self._put(key, content)
        told = {"key": key, "size": len(content), "etag": version.etag.strip('"'), "version-id": version.id}
        return {
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": BUCKET}, "object": told},
        }

    def delete(self, key: str) -> None:
        """Delete a file as a user does: it gets a marker."""
        self._put(key, b"", is_marker=True)

    def names(self) -> list[str]:
        return sorted(key for key, versions in self.versions.items() if not versions[-1].is_marker)

    def json(self, key: str) -> Any:
        return json.loads(self.versions[key][-1].content)

    def documents(self, key: str) -> list[Any]:
        return [json.loads(line) for line in self.versions[key][-1].content.splitlines()]

    def _put(self, key: str, content: bytes, *, is_marker: bool = False, **given: Any) -> Version:
        self._count += 1
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        modified = UPLOADED + timedelta(hours=self._count - 1)
        version = Version(f"v{self._count}", content, etag, modified, given.get("Metadata", {}), is_marker)
        self.versions.setdefault(key, []).append(version)
        return version

    def _find(self, given: dict[str, Any], absent: str) -> Version:
        wanted = given.get("VersionId")
        found = [one for one in self.versions.get(given["Key"], []) if wanted in (None, one.id)]
        if not found or found[-1].is_marker:
            raise refused(absent)
        if given.get("IfMatch") not in (None, found[-1].etag):
            raise refused("PreconditionFailed")
        return found[-1]

    def head_object(self, **given: Any) -> dict[str, Any]:
        found = self._find(given, "404")
        return {
            "ContentLength": len(found.content),
            "ETag": found.etag,
            "LastModified": found.modified,
            "VersionId": found.id,
            "Metadata": found.metadata,
        }

    def get_object(self, **given: Any) -> dict[str, Any]:
        content = self._find(given, "NoSuchKey").content
        if "Range" in given:
            first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", given["Range"]).groups())  # type: ignore[union-attr]
            assert first <= last < len(content)
            content = content[first : last + 1]
        self.reads.append((given["Key"], len(content)))
        self.breaks -= 1
        return {"Body": Body(content, breaks=self.breaks >= 0)}

    def put_object(self, *, Key: str, Body: bytes, **given: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's names
        assert Key.startswith(RESERVED)
        assert len(Key.encode()) <= 1024
        if given.get("IfNoneMatch") == "*" and Key in self.names():
            raise refused("PreconditionFailed")
        return {"VersionId": self._put(Key, Body, **given).id}

    def list_objects_v2(self, *, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": key} for key in self.names() if key.startswith(Prefix)][:1000]}

    def delete_objects(self, *, Delete: dict[str, Any], **_: Any) -> None:  # noqa: N803
        for one in Delete["Objects"]:
            assert one["Key"].startswith("reports/")
            self.delete(one["Key"])

    def create_multipart_upload(self, *, Key: str, **given: Any) -> dict[str, Any]:  # noqa: N803
        upload = f"upload{len(self.uploads)}"
        self.uploads[upload] = {"Key": Key, **given}, {}
        return {"UploadId": upload}

    def upload_part(self, *, UploadId: str, PartNumber: int, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.uploads[UploadId][1][PartNumber] = Body
        return {"ETag": f"{UploadId}-{PartNumber}"}

    def complete_multipart_upload(self, *, Key: str, UploadId: str, MultipartUpload: Any, **_: Any) -> None:  # noqa: N803
        given, parts = self.uploads.pop(UploadId)
        assert [(n, f"{UploadId}-{n}") for n in parts] == [
            (part["PartNumber"], part["ETag"]) for part in MultipartUpload["Parts"]
        ]
        contents = io.BytesIO(b"".join(parts.values()))
        assert all(len(part) >= self._part for part in list(parts.values())[:-1])
        assert given.pop("Key") == Key
        self._put(Key, contents.getvalue(), Metadata=given["Metadata"])
