"""The answers of synchronous invocations, which the queue's attempts are too: their ids, errors and sizes.

Four modules hand on an invocation's request id and a function's error, past MiniStack, which has no place for them:

The request id: the queue gives it to each attempt in a header (`asynchronous/lambda_api.py`). `invocation` takes it,
or makes one up for another caller, and puts it into `REQUEST_ID`. `inside.py` lets MiniStack take it from there, so
that the function has it in its context. `embedded/runtime/sitecustomize.py` writes it into the log lines, and
`invocation` into the answer.

The error: `sitecustomize.py` raises it as JSON after `MARK`, in the message of another error. MiniStack answers with
that message. `invocation` makes it the answer, as Lambda's runtime has it, and `lambda_api.py` takes the reason of a
dead letter from there.
"""

import json
from typing import Any
from uuid import uuid4

from pipeline.local.asynchronous import REQUEST_ID_HEADER, NameRefusedError, target_of
from pipeline.local.asynchronous.aws_api import CALLER, Answer, AwsApi, Scope, call, header, lambda_error
from pipeline.local.embedded.ministack import ministack

from .inside import REQUEST_ID

MARK = "\x1eerror:"
RESPONSE_LIMIT = 6_291_556  # bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
OF_THE_SANDBOX = {"Sandbox.Timedout", "Runtime.ExitError"}  # errors whose message begins with the request id


async def invocation(aws: AwsApi, scope: Scope, body: bytes) -> Answer:
    """Answer a synchronous invocation."""
    try:
        target_of(scope, scope["path"].split("/")[3], "")
    except NameRefusedError as error:
        return lambda_error(400, *error.args)
    if wanted := header(scope, REQUEST_ID_HEADER):
        return _mended(await invoke(scope, body, wanted), wanted)
    REQUEST_ID.set(wanted := str(uuid4()))
    return _mended(await call(aws.app, scope, body), wanted)


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
        message = f"RequestId: {request_id} Error: {document['errorMessage']}"
        document = {"errorType": document["errorType"], "errorMessage": message}
    return document


def _dumps(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
