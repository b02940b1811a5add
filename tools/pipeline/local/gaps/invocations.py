"""The answers of synchronous invocations, which the queue's attempts are too: their ids, errors and sizes.

Four modules hand on an invocation's request id and a function's error, past MiniStack, which has no place for them:

The request id: the queue gives it to each attempt in a header (`asynchronous/lambda_api.py`). `Invocations` takes it,
or makes one up for another caller, and puts it into `REQUEST_ID`. `inside.py` lets MiniStack take it from there, so
that the function has it in its context. `embedded/runtime/sitecustomize.py` writes it into the log lines, and
`Invocations` into the answer.

The error: `sitecustomize.py` raises it as JSON after `MARK`, in the message of another error. MiniStack answers with
that message. `Invocations` makes it the answer, as Lambda's runtime has it, and `lambda_api.py` takes the reason of a
dead letter from there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pipeline.local.asynchronous import (
    CALLER,
    REQUEST_ID_HEADER,
    Answer,
    App,
    NameRefusedError,
    Receive,
    Scope,
    Send,
    call,
    header,
    lambda_error,
    read_body,
    respond,
    target_of,
)
from pipeline.local.embedded.ministack import ministack

from .inside import REQUEST_ID

INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
MARK = "\x1eerror:"
REQUEST_LIMIT = 16 * 1024 * 1024
RESPONSE_LIMIT = 6_291_556
"""Bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
OF_THE_SANDBOX = {"Sandbox.Timedout", "Runtime.ExitError"}
"""Errors whose message begins with the request id."""


@dataclass(frozen=True)
class Invocations:
    """Wraps an embedded AWS."""

    inner: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        match = INVOCATION.fullmatch(scope.get("path", ""))
        if match is None or scope["method"] != "POST":
            await self.inner(scope, receive, send)
            return
        try:
            target_of(scope, match[1], "")
        except NameRefusedError as error:
            await respond(send, lambda_error(400, *error.args))
            return
        wanted, body = header(scope, REQUEST_ID_HEADER), await read_body(receive, REQUEST_LIMIT) or b""
        if wanted:
            answer = await invoke(scope, body, wanted)
        else:
            REQUEST_ID.set(wanted := str(uuid4()))
            answer = await call(self.inner, scope, body)
        await respond(send, _mended(answer, wanted))


async def invoke(scope: Scope, body: bytes, request_id: str) -> Answer:
    """Run a function for the queue, past what MiniStack does for one from outside: a sixth of the server's time."""
    responses, lambda_svc = ministack("core.responses"), ministack("services.lambda_svc")
    caller = scope[CALLER]
    responses.set_request_account_id(caller.key.access_key)
    responses.set_request_region(caller.region)
    REQUEST_ID.set(request_id)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    status, answered, content = await lambda_svc.handle_request(scope["method"], scope["path"], headers, body, {})
    content = content.encode() if isinstance(content, str) else content
    return Answer(status, {name.lower(): value for name, value in answered.items()}, content)


def _mended(answer: Answer, request_id: str) -> Answer:
    headers, body = {**answer.headers, "x-amzn-requestid": request_id}, answer.body
    if answer.status == 200 and "x-amz-function-error" in headers:
        body = _dumps(_error(body, request_id))
    elif answer.status == 200 and len(body) > RESPONSE_LIMIT:
        headers["x-amz-function-error"] = "Unhandled"
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        body = _dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"})
    return Answer(answer.status, headers | {"content-length": str(len(body))}, body)


def _error(body: bytes, request_id: str) -> Any:
    """Return a function's error as Lambda's runtime has it."""
    document = json.loads(body)
    message = str(document.get("errorMessage", "")) if isinstance(document, dict) else ""
    if MARK in message:
        # What MiniStack says around it, when a module can't be imported, is cut off.
        document = json.loads(message.partition(MARK)[2])
        message = document["errorMessage"]
        document.setdefault("requestId", request_id)
    elif message.endswith("is not JSON serializable"):
        message = f"Unable to marshal response: {message}"
        document = {"errorMessage": message, "errorType": "Runtime.MarshalError", "requestId": request_id}
    elif message == "Worker process died":
        document = {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited without providing a reason"}
    if isinstance(document, dict) and document.get("errorType") in OF_THE_SANDBOX:
        document = {
            "errorType": document["errorType"],
            "errorMessage": f"RequestId: {request_id} Error: {document['errorMessage']}",
        }
    return document


def _dumps(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
