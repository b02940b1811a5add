"""ASGI middleware that takes asynchronous invocations for the queue and hands everything else to the app inside."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from .aws_api import Answer, App, AwsApi, Receive, Scope, Send, call, read_body, respond
from .delivery import PAYLOAD_LIMIT
from .lambda_api import DEPTH_HEADER, Cache
from .queue import Queue
from .targets import Target, UnsupportedTargetError, require_supported

INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
EVENT_INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/[^/]+/event-invoke-config/?")
LAMBDA = re.compile(r"/20\d\d-\d\d-\d\d/functions/")
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
FUNCTION = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:|(?P<partial>\d{12}):function:)?"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>[\w$-]+))?"
)
SETTING = ("iam", "cloudformation")
"""The services beside Lambda whose requests change what functions and roles are."""
BEYOND_ANY_LOOP = "1000"


@dataclass(frozen=True)
class AsynchronousInvocation:
    """Wraps the embedded AWS so that events are queued and delivered as Lambda does it."""

    aws: AwsApi
    queue: Queue
    _for_owner: Cache[tuple[str, bytes, str], Answer] = field(default_factory=Cache)
    """Whether the owner's events are taken, by the function's name, the query and the region."""

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
                self._forget()

    def _forget(self) -> None:
        """Ask anew for all that a request may have changed."""
        self._for_owner.forget()
        self.queue.functions.forget()

    async def _accept(self, scope: Scope, receive: Receive, name: str) -> Answer:
        """Queue an event, or refuse it as Lambda does: who asks, for what, with what."""
        body = await read_body(receive, PAYLOAD_LIMIT)
        refusal = _refusal(body)
        answer = await self._ask(scope, name, b"" if refusal else body or b"")
        if answer.status != 204:
            return answer
        request_id = str(uuid4())
        if refusal:
            return _error(*refusal, request_id)
        self.queue.accept(self._target(scope, name), body or b"{}", request_id=request_id, depth=_depth(scope))
        return Answer(202, {"x-amzn-requestid": request_id, "content-length": "0"}, b"")

    async def _ask(self, scope: Scope, name: str, body: bytes) -> Answer:
        """Let Lambda judge the request without running anything; 204 stands for yes."""
        if _access_key(scope) == self.aws.access_key:
            dry = _with_header(scope, b"x-amz-invocation-type", b"DryRun")
            # The owner may do everything, so that the answer is the same for all of the owner's events.
            target = name, scope["query_string"], _region(scope)
            return await self._for_owner.get(target, lambda: call(self.inner, dry, b"{}"))
        # The signature covers the invocation type and the body, so a caller with a real signature can't be turned into
        # a dry run. We claim an impossibly long chain: Lambda refuses it exactly where it would have run the function,
        # and that refusal means yes.
        if await self.queue.functions.allows_loops(self._target(scope, name)):
            message = "A function whose RecursiveLoop is Allow takes asynchronous events from the owner alone here."
            return _error(501, "NotImplementedException", message, str(uuid4()))
        answer = await call(self.inner, _with_header(scope, DEPTH_HEADER.encode(), BEYOND_ANY_LOOP.encode()), body)
        if answer.status == 400 and answer.error_code == "RecursiveInvocationException":
            return answer._replace(status=204)
        return answer

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
        self._forget()


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


def _with_header(scope: Scope, name: bytes, value: bytes) -> Scope:
    # Without the length of a body that may be replaced; no signature covers it.
    others = [(key, old) for key, old in scope["headers"] if key.lower() not in (name, b"content-length")]
    return {**scope, "headers": [*others, (name, value)]}


def _credential(scope: Scope) -> re.Match[str] | None:
    return CREDENTIAL.search(_header(scope, b"authorization"))


def _may_change_settings(scope: Scope) -> bool:
    """Tell whether a request may have changed what functions do, or what somebody may."""
    match = _credential(scope)
    ours = LAMBDA.match(scope["path"]) or (match and match[3] in SETTING)
    return scope["method"] != "GET" and bool(ours)


def _access_key(scope: Scope) -> str:
    match = _credential(scope)
    return match[1] if match else ""


def _region(scope: Scope) -> str:
    match = _credential(scope)
    return match[2] if match else "us-east-1"


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
