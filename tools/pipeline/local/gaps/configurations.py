"""Lambda's calls that set what becomes of events: refused where AWS refuses them, and completed where MiniStack isn't.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html and the calls beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.local.asynchronous import (
    CALLER,
    UNQUALIFIED,
    Answer,
    AwsApi,
    NameRefusedError,
    Receive,
    Scope,
    Send,
    Target,
    lambda_error,
    read_body,
    region_of,
    replay,
    respond,
    target_of,
)

from .rules import refusal_of_destinations, refusal_of_function

FUNCTIONS = re.compile(r"/2015-03-31/functions/?")
CONFIGURATION = re.compile(r"/2015-03-31/functions/([^/]+)/configuration/?")
EVENT_INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/([^/]+)/event-invoke-config/?")
REQUEST_LIMIT = 70 * 1024 * 1024
"""Bytes of a request with a package in it."""
MOST = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600}


@dataclass(frozen=True)
class Configurations:
    """Wraps the embedded AWS that an API calls."""

    aws: AwsApi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        path, method = scope.get("path", ""), scope.get("method")
        if match := EVENT_INVOKE_CONFIG.fullmatch(path):
            body = await read_body(receive, REQUEST_LIMIT) or b""
            await respond(send, await self._event_invoke_config(scope, match[1], body))
        elif method == "POST" and FUNCTIONS.fullmatch(path):
            await self._checked(scope, receive, send, {})
        elif method == "PUT" and (match := CONFIGURATION.fullmatch(path)):
            await self._update(scope, match[1], receive, send)
        else:
            await self.aws.app(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send, known: Mapping[str, Any]) -> None:
        body = await read_body(receive, REQUEST_LIMIT) or b""
        if refusal := refusal_of_function({**known, **_document(body)}):
            await respond(send, _invalid(refusal))
        else:
            await self.aws.app(scope, replay(body, receive), send)

    async def _update(self, scope: Scope, name: str, receive: Receive, send: Send) -> None:
        """Update a function's configuration; an empty DeadLetterConfig keeps the target."""
        body = await read_body(receive, REQUEST_LIMIT) or b""
        document, current = _document(body), await self._get(scope, f"/2015-03-31/functions/{name}/configuration")
        if document.get("DeadLetterConfig") == {}:
            del document["DeadLetterConfig"]
            await respond(send, await self._forward(scope, scope["path"], {}, document))
            return
        await self._checked(scope, replay(body, receive), send, {"Role": current.get("Role", "")})

    async def _event_invoke_config(self, scope: Scope, name: str, body: bytes) -> Answer:
        """Read or set the settings of a qualifier; without one they are those of $LATEST, and the other way round."""
        try:
            target = target_of(scope, name, self.aws.account)
        except NameRefusedError as error:
            return lambda_error(400, *error.args)
        qualifier = {"Qualifier": target.qualifier or UNQUALIFIED}
        path = f"/2019-09-25/functions/{target.name}/event-invoke-config"
        document = _document(body)
        if scope["method"] == "POST":
            current = await self._get(scope, path, qualifier)
            if not current:
                message = f"The function {target.arn} doesn't have an EventInvokeConfig"
                return lambda_error(404, "ResourceNotFoundException", message)
            document = {name: current[name] for name in (*MOST, "DestinationConfig")} | document
        if scope["method"] in ("PUT", "POST") and (refusal := _refusal(target, document)):
            return refusal
        method = "PUT" if scope["method"] == "POST" else scope["method"]
        return await self._forward({**scope, "method": method}, path, qualifier, document)

    async def _get(self, scope: Scope, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Ask something with the rights of the service itself; nothing where it isn't there."""
        answer = await self.aws.request("GET", path, service="lambda", region=region_of(scope), query=query)
        return answer.json() if answer.status == 200 else {}

    async def _forward(self, scope: Scope, path: str, query: Mapping[str, str], document: Any) -> Answer:
        """Send a request on in another form, in the name of its caller."""
        return await self.aws.request(
            scope["method"],
            path,
            service="lambda",
            region=region_of(scope),
            key=scope[CALLER].key,
            query=query,
            headers={"content-type": "application/json"},
            body=json.dumps(document).encode() if document else b"",
        )


def _refusal(target: Target, document: Mapping[str, Any]) -> Answer | None:
    for name, most in MOST.items():
        value = document.get(name)
        if isinstance(value, int) and value > most:
            place = name[0].lower() + name[1:]
            message = (
                f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {most}"
            )
            return lambda_error(400, "ValidationException", message)
    refusal = refusal_of_destinations(target.name, document)
    return _invalid(refusal) if refusal else None


def _invalid(message: str) -> Answer:
    return lambda_error(400, "InvalidParameterValueException", message)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}  # MiniStack says what is wrong with it
    return document if isinstance(document, dict) else {}
