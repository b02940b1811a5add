"""Tells EventBridge which version of an object an event is about; MiniStack leaves that out.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from pipeline.local.embedded.ministack import ministack

_version: ContextVar[str | None] = ContextVar("version", default=None)
"""The version that the current event is about."""


def tell_versions() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    s3, eventbridge = ministack("services.s3"), ministack("services.eventbridge")
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

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

    s3._fire_s3_event, eventbridge._dispatch_event = noting, telling
