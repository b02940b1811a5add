"""The door: no request comes in that isn't signed rightly, by the owner of this start or by one of its users or roles.

Another user of this machine can reach the port. Without the secret of this start there is nothing but refusals, and
what is sent takes little memory until its signature is checked.
"""

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass, field

from pipeline.local.asynchronous import REQUEST_ID_HEADER, aws_api
from pipeline.local.asynchronous.aws_api import Answer, App, Message, Receive, Scope, Send

from .control import CONTROL_PATH
from .meaning import ambiguity
from .signatures import Owner, Signed, find_secret, read_signature
from .unchecked import Unchecked

OWNERS_PATHS = re.compile(
    r"/_.*|/health|/oauth2/.*|/login|/logout|/iceberg.*|.*/\.well-known/.*"
    r"|/v2/?|/v2/(_catalog|.*/(blobs|manifests)/.*|.*/tags/list)",
    re.DOTALL,
)
"""What MiniStack answers without asking IAM. The control path is one of them."""
BODY_LIMIT = 512 * 1024 * 1024  # bytes; a package to deploy may have 250 MB
PATIENCE = 5  # seconds that a refused client gets to send the rest, without which it would not read the refusal
JSON_SERVICES = ("lambda", "local")  # services with REST and JSON; others with JSON are known by a header


class Refused(Exception):  # noqa: N818 - it is no fault
    """A request is refused, with this code and this sentence."""


NO_SIGNATURE = "InvalidClientTokenId", "The security token is invalid."
WRONG_SIGNATURE = "SignatureDoesNotMatch", "The signature does not match."


class Incoming:
    """What a client sends, and whether all of it was received."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_whole = False

    async def __call__(self) -> Message:
        """Receive the next message."""
        message = await self._receive()
        self.is_whole = not message.get("more_body", False)
        return message

    async def throw_away(self) -> None:
        """Receive the rest, which would stay in memory and keep the connection if nobody did."""
        with contextlib.suppress(ConnectionResetError):
            while not self.is_whole:
                await self()


@dataclass(frozen=True)
class Door:
    """Wraps an embedded AWS."""

    inner: App
    control: App
    owner: Owner
    account: str
    _unchecked: Unchecked = field(default_factory=Unchecked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self.inner(scope, receive, send)
        else:
            await self._admit(scope, Incoming(receive), send)

    async def _admit(self, scope: Scope, receive: Incoming, send: Send) -> None:
        signed = read_signature(scope)
        try:
            secret = signed and find_secret(signed, self.owner, self.account)
            if signed is None or secret is None:
                raise Refused(*NO_SIGNATURE)
            body = await self._body(signed, secret, receive)
            self._require_clear(signed, scope, body)
        except Refused as refused:
            await _refuse(refusal(scope, signed, *refused.args), receive, send)
        else:
            inner = self.control if scope["path"] == CONTROL_PATH else self.inner
            await inner(_checked(scope, signed), aws_api.replay(body, receive), send)

    async def _body(self, signed: Signed, secret: str, receive: Receive) -> bytes:
        """Read the body of a request that is rightly signed; without an announced hash, that can be told only then."""
        if signed.announced is None:
            body = await self._unchecked.read(receive, lambda digest: signed.is_right(secret, digest))
            if body is None:
                raise Refused(*WRONG_SIGNATURE)
            return body
        if not signed.is_right(secret, signed.announced):
            raise Refused(*WRONG_SIGNATURE)
        body = await aws_api.read_body(receive, BODY_LIMIT)
        if body is None or not signed.covers(secret, body):
            raise Refused("XAmzContentSHA256Mismatch", "The body is not the one that was signed.")
        return body

    def _require_clear(self, signed: Signed, scope: Scope, body: bytes) -> None:
        """Refuse what could mean two things, and the paths that are the owner's."""
        if sentence := ambiguity(scope, signed.caller, body):
            raise Refused("InvalidRequest", sentence)
        if signed.caller.key.access_key != self.owner.access_key and OWNERS_PATHS.fullmatch(scope["path"]):
            raise Refused("AccessDenied", "Only the owner may call this path.")


def _checked(scope: Scope, signed: Signed) -> Scope:
    """Return a request as the layers inside take it: with its caller, and without its signature."""
    headers = [one for one in scope["headers"] if one[0] != REQUEST_ID_HEADER.encode()]
    query = signed.rest_of_query() if signed.presigned else scope["query_string"]
    return aws_api.sent_by({**scope, "headers": headers, "query_string": query}, signed.caller)


async def _refuse(answer: Answer, receive: Incoming, send: Send) -> None:
    """Refuse a request, once the client has sent all of it or has had the time for it."""
    rest = asyncio.create_task(receive.throw_away())
    await asyncio.wait({rest}, timeout=PATIENCE)
    await aws_api.respond(send, answer)
    rest.cancel()


def refusal(scope: Scope, signed: Signed | None, code: str, message: str) -> Answer:
    """Return a refusal in a form that the SDKs read: JSON, or XML as S3 or the query protocol has it."""
    service = signed.parts.service if signed else ""
    if service in JSON_SERVICES or aws_api.header(scope, "x-amz-target"):
        kind, body = "application/json", json.dumps({"__type": code, "message": message})
    else:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        kind, body = "text/xml", error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
    headers = {"content-type": kind, "content-length": str(len(body)), "x-amzn-errortype": code}
    return Answer(403, headers | {"connection": "close"}, body.encode())  # hypercorn keeps an idle connection's memory
