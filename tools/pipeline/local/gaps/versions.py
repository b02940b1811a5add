"""Versions of objects: an event names the one that it is about, and a part of one can be read.

MiniStack leaves the version out of the event, and answers with the whole object:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import json
from contextvars import ContextVar
from typing import Any

from pipeline.local.embedded.ministack import ministack

_version: ContextVar[str | None] = ContextVar("version", default=None)  # the version that the current event is about


def tell_versions() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    s3, eventbridge = ministack("services.s3"), ministack("services.eventbridge")
    fire, dispatch, get = s3._fire_s3_event, eventbridge._dispatch_event, s3._get_object

    def noting(*arguments: Any, version_id: str | None = None, **more: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **more)
        finally:
            _version.reset(token)

    def telling(event: dict[str, Any], *rest: Any) -> Any:
        if event.get("Source") == "aws.s3" and (version := _version.get()):
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *rest)

    def cutting(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Any:
        wanted = headers.get("range") if "versionId" in (query or {}) else None
        if not wanted:
            return get(bucket, key, headers, query)
        # A checksum would be that of the whole object.
        status, answered, body = get(bucket, key, {**headers, "x-amz-checksum-mode": ""}, query)
        if status != 200:
            return status, answered, body
        part = s3._parse_range(wanted, len(body))
        if part is None:
            return s3._error("InvalidRange", "The requested range is not satisfiable", 416, f"/{bucket}/{key}")
        first, last = part
        content = body[first : last + 1]
        told = {"Content-Length": str(len(content)), "Content-Range": f"bytes {first}-{last}/{len(body)}"}
        return 206, answered | told, content

    s3._fire_s3_event, eventbridge._dispatch_event, s3._get_object = noting, telling, cutting
