"""What the queue asks Lambda for: an event's settings, a version's configuration, one invocation."""

import json
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from .aws_api import TRACE_HEADER, Answer, AwsApi, Key
from .event import Attempt, Event, EventInvokeConfig, Known, Result, VersionConfig
from .targets import UNQUALIFIED, Target

FUNCTIONS = "/2015-03-31/functions"
EVENT_INVOKE_CONFIG = "/2019-09-25/functions/{}/event-invoke-config"
CONCURRENCY = "/2019-09-30/functions/{}/concurrency"
REQUEST_ID_HEADER = "x-local-request-id"  # by it an attempt gets the request id of its event
DEPTH_HEADER = "x-ministack-invoke-depth"
"""By it MiniStack counts the functions that a chain of requests passed through, and ends loops as Lambda does."""
LIFETIME = 0.5  # seconds that an answer is kept

Value = TypeVar("Value")


@dataclass(frozen=True)
class LambdaApi:
    """Lambda, asked with the rights of the service itself; in AWS, too, settings take a moment to arrive."""

    aws: AwsApi
    _answers: dict[Hashable, tuple[Any, float]] = field(default_factory=dict)
    """By question, with the monotonic time until which each holds."""

    def forget(self) -> None:
        """Forget what is known of every function: something of it may have been changed."""
        self._answers.clear()

    async def _ask(self, ask: Callable[..., Awaitable[Value]], *parts: Hashable) -> Value:
        """Return the answer to a question, asking only if there is no recent one."""
        known = self._answers.get((ask, parts))
        if known is not None and known[1] > monotonic():
            value: Value = known[0]
            return value
        value = await ask(*parts)
        self._answers[ask, parts] = value, monotonic() + LIFETIME
        return value

    async def event_invoke_config(self, target: Target) -> EventInvokeConfig:
        """Return the settings that belong to the qualifier which the caller used; none is $LATEST."""
        return await self._ask(self._event_invoke_config, target)

    async def _event_invoke_config(self, target: Target) -> EventInvokeConfig:
        path = EVENT_INVOKE_CONFIG.format(target.name)
        answer = await self._get(target, path, {"Qualifier": target.qualifier or UNQUALIFIED})
        return _read_config(answer.json()) if answer.status == 200 else EventInvokeConfig()

    async def version_config(self, target: Target, version: str | None) -> VersionConfig | None:
        """Return the configuration of the version that ran, or of the one that would have; None if it is gone."""
        return await self._ask(self._version_config, target._replace(qualifier=version or target.qualifier))

    async def _version_config(self, target: Target) -> VersionConfig | None:
        path = f"{FUNCTIONS}/{target.name}/configuration"
        answer = await self._get(target, path, {"Qualifier": target.qualifier} if target.qualifier else {})
        if answer.status != 200:
            return None
        document = answer.json()
        dead_letter_target = (document.get("DeadLetterConfig") or {}).get("TargetArn") or None
        return VersionConfig(document["Version"], document["Role"], dead_letter_target)

    async def known(self, target: Target) -> Known:
        """Return what is known of a function when an event for it is accepted."""
        return Known(await self.event_invoke_config(target), await self.version_config(target, None))

    async def is_switched_off(self, target: Target) -> bool:
        """Tell whether the function's reserved concurrency is zero."""
        answer = await self._get(target, CONCURRENCY.format(target.name), {})
        return answer.status == 200 and answer.json().get("ReservedConcurrentExecutions") == 0

    async def invoke(self, event: Event) -> Attempt:
        """Run the function once and say how it ended."""
        headers = {DEPTH_HEADER: str(event.depth), REQUEST_ID_HEADER: event.request_id, TRACE_HEADER: event.trace}
        answer = await self._call(event.target, None, "RequestResponse", event.payload, headers)
        return _attempt(answer, event.target)

    async def version_of(self, target: Target) -> str | None:
        """Return the version that the qualifier stands for, or stood for half a second ago."""
        return (await self.may_invoke(target, None)).headers.get("x-amz-executed-version")

    async def may_invoke(self, target: Target, key: Key | None) -> Answer:
        """Ask, as somebody or as the owner, whether an invocation would be taken (204), without making it."""
        return await self._ask(self._dry_run, target, key)

    async def _dry_run(self, target: Target, key: Key | None) -> Answer:
        return await self._call(target, key, "DryRun", b"{}", {})

    async def _call(self, target: Target, key: Key | None, kind: str, body: bytes, headers: dict[str, str]) -> Answer:
        # The qualifier as part of the ARN, because it is part of the resource that a policy names.
        path = f"{FUNCTIONS}/{target.caller_arn}/invocations"
        headers = {"x-amz-invocation-type": kind, **headers}
        return await self.aws.request(
            "POST", path, service="lambda", region=target.region, key=key, headers=headers, body=body
        )

    async def _get(self, target: Target, path: str, query: dict[str, str]) -> Answer:
        return await self.aws.request("GET", path, service="lambda", region=target.region, query=query)


def _read_config(document: dict[str, Any]) -> EventInvokeConfig:
    defaults, destinations = EventInvokeConfig(), document.get("DestinationConfig") or {}
    retries, age = document.get("MaximumRetryAttempts"), document.get("MaximumEventAgeInSeconds")
    return EventInvokeConfig(
        defaults.maximum_retries if retries is None else int(retries),
        defaults.maximum_age if age is None else float(age),
        *((destinations.get(kind) or {}).get("Destination") or None for kind in ("OnSuccess", "OnFailure")),
    )


def _attempt(answer: Answer, target: Target) -> Attempt:
    version = answer.headers.get("x-amz-executed-version")
    error = answer.headers.get("x-amz-function-error")
    if answer.status == 200 and error:
        return Attempt(Result.FUNCTION_ERROR, 200, answer.body, version, error, _error_message(answer.body))
    if answer.status == 200:
        return Attempt(Result.SUCCESS, 200, answer.body, version)
    if answer.status == 429:
        return Attempt(Result.THROTTLED, 429, reason="Rate Exceeded.")
    result = Result.SYSTEM_ERROR if answer.status >= 500 else Result.REJECTED
    reason = f"Function not found: {target.arn}" if answer.status == 404 else answer.problem
    return Attempt(result, answer.status, answer.body, version, reason=reason)


def _error_message(payload: bytes) -> str:
    try:
        document = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return str(message) if message is not None else payload.decode("utf-8", "replace")
