"""Calls of the embedded AWS's public HTTP API from inside its process: signed requests, answered by the ASGI app."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from secrets import token_hex
from time import time
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode
from uuid import uuid4
from xml.etree import ElementTree as ET

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, "
    "SignedHeaders=host, Signature=checked-before"
)
"""The one form in which a request inside the process names its caller. Signatures are checked before that."""
CALLER = "local.caller"  # the key under which a request's scope has its `Caller`
TRACE_HEADER = "x-amzn-trace-id"


class Key(NamedTuple):
    """The public part of somebody's credentials."""

    access_key: str
    token: str = ""  # sessions have one


class Caller(NamedTuple):
    """Who sent a request, and to which service and region, as its checked signature says."""

    key: Key
    service: str
    region: str


class Answer(NamedTuple):
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body or b"null")

    def xml(self, name: str) -> ET.Element | None:
        """Return the first element of a name, whatever its namespace; None where there is none."""
        # The document is the embedded AWS's own, from this process.
        return ET.fromstring(self.body).find(f".//{{*}}{name}") if self.body.startswith(b"<") else None  # noqa: S314

    @property
    def problem(self) -> str:
        """The error's sentence, from whichever of the protocols' error formats the body has."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace")
        if not isinstance(document, dict):
            return str(document)
        return str(document.get("message") or document.get("Message") or document.get("__type") or document)

    @property
    def error_code(self) -> str:
        """The error's name, empty where there is none."""
        code = self.headers.get("x-amzn-errortype") or ""
        if not code and self.body.startswith(b"{"):
            document = self.json()
            code = str(document.get("__type") or document.get("Type") or "")
        return code.partition(":")[0].rpartition("#")[2]


@dataclass(frozen=True)
class AwsApi:
    """The embedded AWS as its own queue calls it: by HTTP requests that don't leave the process."""

    app: App
    host: str  # the endpoint's host and port, which every signature covers
    access_key: str  # the owner's
    account: str = "000000000000"

    async def request(
        self,
        method: str,
        path: str,
        *,
        service: str,
        region: str,
        key: Key | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send one request, in the owner's name unless another key is given, and wait for its answer."""
        named = {**(headers or {}), "host": self.host}
        scope = http_scope(method, quote(path, safe="/-_.~"), urlencode(query or {}), named.items())
        return await call(self.app, sent_by(scope, Caller(key or Key(self.access_key), service, region)), body)

    async def perform(self, service: str, region: str, target: str, document: object, key: Key | None = None) -> Answer:
        """Call an action of a service with the JSON protocol."""
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
        body = json.dumps(document).encode()
        return await self.request("POST", "/", service=service, region=region, key=key, headers=headers, body=body)


def http_scope(method: str, raw_path: str, query: str, headers: Any) -> Scope:
    """Describe a request that came over TLS from this host, as an ASGI server would."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }


def sent_by(scope: Scope, caller: Caller) -> Scope:
    """Name the caller of a request, for the layers here in its scope, for MiniStack in its headers."""
    access_key, token = caller.key
    authorization = AUTHORIZATION.format(access_key=access_key, region=caller.region, service=caller.service)
    named = {b"authorization": authorization.encode()} | ({b"x-amz-security-token": token.encode()} if token else {})
    others = [one for one in scope["headers"] if one[0] not in (b"authorization", b"x-amz-security-token")]
    return {**scope, "headers": [*others, *named.items()], CALLER: caller}


def header(scope: Scope, name: str) -> str:
    """Return the value of a header, given in lower case; empty if there is none."""
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")


async def call(app: App, scope: Scope, body: bytes) -> Answer:
    """Let an ASGI app answer one request."""
    status, headers, body_parts = 0, dict[str, str](), list[bytes]()

    async def nothing_more() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"]
            )
        elif message["type"] == "http.response.body":
            body_parts.append(message.get("body", b""))

    # In a task of its own: what the app keeps in context variables belongs to this request alone.
    await asyncio.create_task(app(scope, replay(body, nothing_more), send))  # type: ignore[arg-type]
    return Answer(status, headers, b"".join(body_parts))


def replay(body: bytes, receive: Receive) -> Receive:
    """Return what receives a body that was read already, and then whatever comes."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Read the body of a request; None when it is over the limit."""
    return (await read_sized(receive, limit))[0]


async def read_sized(receive: Receive, limit: int) -> tuple[bytes | None, int]:
    """Read the body of a request, and its size in bytes; no body when that is over the limit."""
    taken, size = [], 0
    async for chunk in chunks(receive):
        size += len(chunk)
        if size <= limit:
            taken.append(chunk)
    return b"".join(taken) if size <= limit else None, size


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the parts of a request's body; ConnectionResetError if the client goes away."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def new_trace() -> str:
    """Make the trace header of a request that came without one."""
    return f"Root=1-{int(time()):08x}-{token_hex(12)};Parent={token_hex(8)};Sampled=0"


def json_answer(status: int, document: object, **headers: str) -> Answer:
    """Make an answer in JSON; underscores in the names of headers are hyphens."""
    body = json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named, "content-length": str(len(body))}, body)


def lambda_error(status: int, code: str, message: str) -> Answer:
    """Make an error as Lambda answers it."""
    document = {"Type": "User", "message": message}
    return json_answer(status, document, x_amzn_errortype=code, x_amzn_requestid=str(uuid4()))


async def respond(send: Send, answer: Answer) -> None:
    """Send an answer."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
