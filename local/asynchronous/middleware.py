"""ASGI middleware that takes asynchronous invocations for the queue and hands everything else to the app inside."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from .aws_api import Answer, App, AwsApi, Receive, Scope, Send, call, read_body, respond
from .delivery import PAYLOAD_LIMIT
from .lambda_api import DEPTH_HEADER
from .queue import Queue
from .targets import Target, UnsupportedTargetError, require_supported

INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
EVENT_INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/[^/]+/event-invoke-config/?")
LAMBDA = re.compile(r"/20\d\d-\d\d-\d\d/functions/")
CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
FUNCTION = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:|(?P<partial>\d{12}):function:)?"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?"
)
SETTING = ("iam", "cloudformation")
"""The services beside Lambda whose requests change what functions and roles are."""
CREDENTIALS = "local.credentials"
"""Where a request's scope has the credentials of its caller; None stands for the owner."""


@dataclass(frozen=True)
class AsynchronousInvocation:
    """Wraps the embedded AWS so that events are queued and delivered as Lambda does it."""

    aws: AwsApi
    queue: Queue

    @property
    def inner(self) -> App:
        """The app inside."""
        return self.aws.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
        elif (match := INVOCATION.fullmatch(scope["path"])) and _header(scope, b"x-amz-invocation-type") == "Event":
            await respond(send, await self._accept(scope, receive, match[1]))
        elif scope["method"] in ("PUT", "POST") and EVENT_INVOKE_CONFIG.fullmatch(scope["path"]):
            await self._configure(scope, receive, send)
        else:
            await self.inner(scope, receive, send)
            if _may_change_settings(scope):
                self.queue.functions.forget()

    async def _accept(self, scope: Scope, receive: Receive, name: str) -> Answer:
        """Queue an event, or refuse it as Lambda does: who asks, for what, with what."""
        body = await read_body(receive, PAYLOAD_LIMIT)
        target, request_id = self._target(scope, name), str(uuid4())
        # The signature was checked at the door, and covers the invocation type: the question is a request of its own.
        answer = await self.queue.functions.may_invoke(target, scope.get(CREDENTIALS))
        if answer.status != 204:
            return answer
        if refusal := _refusal(body):
            return _error(*refusal, request_id)
        self.queue.accept(target, body or b"{}", request_id=request_id, depth=_depth(scope))
        return Answer(202, {"x-amzn-requestid": request_id, "content-length": "0"}, b"")

    def _target(self, scope: Scope, name: str) -> Target:
        account, region = self.aws.account, _region(scope)
        match = FUNCTION.fullmatch(name)
        if match is None:
            return Target(account, region, name)  # the app inside says what is wrong with it
        query = parse_qs(scope["query_string"].decode())
        qualifier = match["qualifier"] or query.get("Qualifier", [None])[0]
        return Target(
            match["account"] or match["partial"] or account, match["region"] or region, match["name"], qualifier
        )

    async def _configure(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a destination that could never be delivered to where it is first seen."""
        body = await read_body(receive, PAYLOAD_LIMIT) or b""
        try:
            for arn in _destinations(body):
                require_supported(arn)
        except UnsupportedTargetError as error:
            await respond(send, _error(400, "InvalidParameterValueException", str(error), ""))
            return
        await respond(send, await call(self.inner, scope, body))
        self.queue.functions.forget()


def _refusal(body: bytes | None) -> tuple[int, str, str] | None:
    """Return why an event's content is not taken: status, error and message; None if it is."""
    if body is None:
        message = f"{PAYLOAD_LIMIT} byte payload is too large for the Event invocation type"
        return 413, "RequestTooLargeException", message
    try:
        json.loads(body.decode("utf-8") or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return 400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _destinations(body: bytes) -> list[str]:
    try:
        config: Any = json.loads(body).get("DestinationConfig") or {}
        return [arn for kind in ("OnSuccess", "OnFailure") if (arn := (config.get(kind) or {}).get("Destination"))]
    except (ValueError, AttributeError):
        return []  # the app inside says what is wrong with it


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _credential(scope: Scope) -> re.Match[str] | None:
    return CREDENTIAL.search(_header(scope, b"authorization"))


def _may_change_settings(scope: Scope) -> bool:
    """Tell whether a request may have changed what functions do, or what somebody may."""
    match = _credential(scope)
    ours = LAMBDA.match(scope["path"]) or (match and match[2] in SETTING)
    return scope["method"] != "GET" and bool(ours)


def _region(scope: Scope) -> str:
    match = _credential(scope)
    return match[1] if match else "us-east-1"


def _depth(scope: Scope) -> int:
    depth = _header(scope, DEPTH_HEADER.encode())
    return int(depth) if depth.isdecimal() else 0


def _error(status: int, code: str, message: str, request_id: str) -> Answer:
    body = json.dumps({"Type": "User", "message": message}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "x-amzn-errortype": code,
        "x-amzn-requestid": request_id,
    }
    return Answer(status, headers, body)
