"""The door: no request comes in that isn't signed rightly, by the owner of this start or by one of its users or roles.

Another user of this machine can reach the port. Without the secret of this start there is nothing but refusals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.local.asynchronous import CREDENTIALS, Answer, App, Receive, Scope, Send, read_body, replay, respond

from .control import CONTROL_PATH
from .signatures import Caller, Owner, Signed, as_ministack_expects, find_key, is_right, read_signature

OWNERS_PATHS = "/_"
"""MiniStack's paths that are none of AWS's begin like this, and so does the control path."""
BODY_LIMIT = 512 * 1024 * 1024
"""Bytes; a package to deploy may have 250 MB."""
JSON_SERVICES = ("lambda", "local")
"""Services with REST and JSON; others with JSON are known by a header."""


@dataclass(frozen=True)
class Door:
    """Wraps an embedded AWS."""

    inner: App
    control: App
    owner: Owner
    account: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self.inner(scope, receive, send)
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        signed = read_signature(scope)
        key = signed and find_key(signed, self.owner, self.account)
        if signed is None or key is None:
            await respond(send, refusal(scope, signed, "InvalidClientTokenId", "The security token is invalid."))
            return
        caller, secret = key
        body = await read_body(receive, BODY_LIMIT)
        if body is None or not is_right(signed, secret, scope, body):
            await respond(send, refusal(scope, signed, "SignatureDoesNotMatch", "The signature does not match."))
        elif caller.credentials is not None and scope["path"].startswith(OWNERS_PATHS):
            await respond(send, refusal(scope, signed, "AccessDenied", "Only the owner may call this path."))
        else:
            await self._let_in(signed, caller, scope, body, receive, send)

    async def _let_in(  # noqa: PLR0917 - a request has these parts
        self, signed: Signed, caller: Caller, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        inner = self.control if scope["path"] == CONTROL_PATH else self.inner
        scope = {**as_ministack_expects(signed, caller, scope, body), CREDENTIALS: caller.credentials}
        await inner(scope, replay(body, receive), send)


def refusal(scope: Scope, signed: Signed | None, code: str, message: str) -> Answer:
    """Return a refusal in a form that the SDKs read: JSON, or XML as S3 or the query protocol has it."""
    service = signed.parts.service if signed else ""
    if service in JSON_SERVICES or any(name == b"x-amz-target" for name, _ in scope["headers"]):
        kind, body = "application/json", json.dumps({"__type": code, "message": message})
    else:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        kind, body = "text/xml", error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
    return Answer(
        403, {"content-type": kind, "content-length": str(len(body)), "x-amzn-errortype": code}, body.encode()
    )
