"""ASGI middleware that takes asynchronous invocations for the queue and hands everything else to the app inside."""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs
from uuid import uuid4

from . import aws_api
from .aws_api import CALLER, TRACE_HEADER, Answer, AwsApi, Receive, Scope, Send, header
from .delivery import PAYLOAD_LIMIT
from .lambda_api import DEPTH_HEADER
from .queue import Queue
from .targets import NameRefusedError, Target

INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
LAMBDA = re.compile(r"/20\d\d-\d\d-\d\d/functions/")
SETTING = ("iam", "cloudformation")  # the services beside Lambda whose requests change what functions and roles are


@dataclass(frozen=True)
class AsynchronousInvocation:
    """Wraps the embedded AWS so that events are queued and delivered as Lambda does it."""

    aws: AwsApi
    queue: Queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        if scope["type"] != "http":
            await self.aws.app(scope, receive, send)
        elif (match := INVOCATION.fullmatch(scope["path"])) and header(scope, "x-amz-invocation-type") == "Event":
            await aws_api.respond(send, await self._accept(scope, receive, match[1]))
        else:
            await self.aws.app(scope, receive, send)
            if _may_change_settings(scope):
                self.queue.functions.forget()

    async def _accept(self, scope: Scope, receive: Receive, name: str) -> Answer:
        """Queue an event, or refuse it as Lambda does: who asks, for what, with what."""
        body, size = await aws_api.read_sized(receive, PAYLOAD_LIMIT)
        try:
            target = target_of(scope, name, self.aws.account)
        except NameRefusedError as error:
            return aws_api.lambda_error(400, *error.args)
        answer = await self.queue.functions.may_invoke(target, scope[CALLER].key)
        if answer.status != 204:
            return answer
        if refusal := _refusal(body, size):
            return aws_api.lambda_error(*refusal)
        return await self._take(scope, target, body or b"{}")

    async def _take(self, scope: Scope, target: Target, body: bytes) -> Answer:
        request_id, trace = str(uuid4()), header(scope, TRACE_HEADER) or aws_api.new_trace()
        told = header(scope, DEPTH_HEADER)
        depth = int(told) if told.isdecimal() else 0
        await self.queue.accept(target, body, request_id=request_id, trace=trace, depth=depth)
        return Answer(202, {"x-amzn-requestid": request_id, TRACE_HEADER: trace, "content-length": "0"}, b"")


def _refusal(body: bytes | None, size: int) -> tuple[int, str, str] | None:
    """Return why an event's content is not taken: status, error and message; None if it is."""
    if body is None:
        message = f"{size} byte payload is too large for the Event invocation type (limit {PAYLOAD_LIMIT} bytes)"
        return 413, "RequestEntityTooLargeException", message
    try:
        json.loads(body.decode("utf-8") or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return 400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _may_change_settings(scope: Scope) -> bool:
    """Tell whether a request may have changed what functions do, or what somebody may."""
    ours = LAMBDA.match(scope["path"]) or scope[CALLER].service in SETTING
    return scope["method"] != "GET" and bool(ours)


def target_of(scope: Scope, name: str, account: str) -> Target:
    """Return the function that a request is for, by the name in its path; NameRefusedError if Lambda refuses it."""
    qualifier = parse_qs(scope["query_string"].decode()).get("Qualifier", [None])[0]
    return Target.named(name, qualifier, region_of(scope), account)


def region_of(scope: Scope) -> str:
    """Return the region that a request was signed for."""
    region: str = scope[CALLER].region
    return region
