"""The lines of a file that are no records: one JSON document for each, in an object of S3 beside the file's report.

Nothing can be appended to an object of S3. What does not fit into memory is uploaded in parts, and an invocation that
goes on where another one ended takes over what that one wrote.
"""

from __future__ import annotations

import json
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from dropped import Place
from lines import Line

PART = 8 * 1024 * 1024
"""Bytes: S3 takes 5 MB for a part at least, and 10,000 parts (CreateMultipartUpload)."""
COPIED = 1024 * 1024 * 1024
"""Bytes that are copied at once at most; S3 takes 5 GB (UploadPartCopy)."""
SHOWN = 1000
"""Characters of a line."""
CONTENT_TYPE = "application/x-ndjson"


class Rejected:
    """Writes documents into an object, which appears when it is closed."""

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
