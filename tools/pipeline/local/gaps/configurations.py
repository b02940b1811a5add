"""Lambda's calls that set what becomes of events: refused where AWS refuses them, and completed where MiniStack isn't.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html and the calls beside it.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.local.asynchronous import UNQUALIFIED, NameRefusedError, Target, region_of, target_of
from pipeline.local.asynchronous.aws_api import CALLER, Answer, AwsApi, Scope, call, lambda_error

from .rules import refusal_of_destinations, refusal_of_function

MOST = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600}


async def create(aws: AwsApi, scope: Scope, body: bytes, known: Mapping[str, Any] | None = None) -> Answer:
    """Create a function, or change what is known of it."""
    refusal = refusal_of_function({**(known or {}), **_document(body)})
    return _invalid(refusal) if refusal else await call(aws.app, scope, body)


async def update(aws: AwsApi, scope: Scope, body: bytes) -> Answer:
    """Update a function's configuration; an empty DeadLetterConfig keeps the target."""
    document = _document(body)
    if document.get("DeadLetterConfig") == {}:
        del document["DeadLetterConfig"]
        return await _forward(aws, scope, scope["path"], {}, document)
    return await create(aws, scope, body, {"Role": (await _get(aws, scope, scope["path"])).get("Role", "")})


async def event_invoke_config(aws: AwsApi, scope: Scope, body: bytes) -> Answer:
    """Read or set the settings of a qualifier; without one they are those of $LATEST, and the other way round."""
    try:
        target = target_of(scope, scope["path"].split("/")[3], aws.account)
    except NameRefusedError as error:
        return lambda_error(400, *error.args)
    qualifier = {"Qualifier": target.qualifier or UNQUALIFIED}
    path = f"/2019-09-25/functions/{target.name}/event-invoke-config"
    method, document = scope["method"], _document(body)
    if method == "POST":
        current = await _get(aws, scope, path, qualifier)
        if not current:
            message = f"The function {target.arn} doesn't have an EventInvokeConfig"
            return lambda_error(404, "ResourceNotFoundException", message)
        method, document = "PUT", {name: current[name] for name in (*MOST, "DestinationConfig")} | document
    if method == "PUT" and (refusal := _refusal(target, document)):
        return refusal
    return await _forward(aws, {**scope, "method": method}, path, qualifier, document)


async def _get(aws: AwsApi, scope: Scope, path: str, query: Mapping[str, str] | None = None) -> Any:
    """Ask something with the rights of the service itself; nothing where it isn't there."""
    answer = await aws.request("GET", path, service="lambda", region=region_of(scope), query=query)
    return answer.json() if answer.status == 200 else {}


async def _forward(aws: AwsApi, scope: Scope, path: str, query: Mapping[str, str], document: Any) -> Answer:
    """Send a request on in another form, in the name of its caller."""
    headers, body = {"content-type": "application/json"}, json.dumps(document).encode() if document else b""
    region, key = region_of(scope), scope[CALLER].key
    return await aws.request(
        scope["method"], path, service="lambda", region=region, key=key, query=query, headers=headers, body=body
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
