"""What the queue asks Lambda for: an event's settings, a version's configuration, one invocation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NamedTuple

from botocore.credentials import Credentials

from local.aws_api import Answer, AwsApi
from local.event import UNQUALIFIED, Attempt, Event, Result, Target
from local.recent import Recent
from local.schedule import Settings
from local.settings import ACCESS_KEY

FUNCTIONS = "/2015-03-31/functions"
EVENT_INVOKE_CONFIG = "/2019-09-25/functions/{}/event-invoke-config"
CONCURRENCY = "/2019-09-30/functions/{}/concurrency"
RECURSION = "/2024-08-31/functions/{}/recursion-config"
DEPTH_HEADER = "x-ministack-invoke-depth"
"""How MiniStack counts the functions that a chain of requests passed through, to end loops as Lambda does."""


class InvokeConfig(NamedTuple):
    """The EventInvokeConfig of a qualifier, or Lambda's defaults."""

    settings: Settings = Settings()
    on_success: str | None = None
    on_failure: str | None = None


class VersionConfig(NamedTuple):
    """What the queue needs of a version's configuration."""

    version: str
    role: str
    dead_letter_target: str | None


@dataclass(frozen=True)
class LambdaApi:
    """Lambda, asked with the rights of the service itself."""

    aws: AwsApi
    for_owner: Recent[tuple[str, bytes, str], Answer] = field(default_factory=Recent)
    """Whether the owner's events are taken, by the function's name, the query and the region."""
    _permissions: Recent[tuple[Target, str], Answer] = field(default_factory=Recent)
    _configs: Recent[Target, InvokeConfig] = field(default_factory=Recent)
    _versions: Recent[Target, VersionConfig | None] = field(default_factory=Recent)

    def forget(self) -> None:
        """Ask anew for every function's settings: one of them may have been changed."""
        self.for_owner.forget()
        self._permissions.forget()
        self._configs.forget()
        self._versions.forget()

    async def invoke_config(self, target: Target) -> InvokeConfig:
        """Return the settings that belong to the qualifier which the caller used."""
        return await self._configs.get(target, lambda: self._invoke_config(target))

    async def _invoke_config(self, target: Target) -> InvokeConfig:
        path = EVENT_INVOKE_CONFIG.format(target.name)
        answer = await self._get(target, path, {"Qualifier": target.qualifier} if target.qualifier else {})
        if answer.status == 404 and target.qualifier == UNQUALIFIED:
            answer = await self._get(target, path, {})
        return _invoke_config(answer.json()) if answer.status == 200 else InvokeConfig()

    async def version_config(self, target: Target, version: str | None) -> VersionConfig | None:
        """Return the configuration of the version that ran, or of the one that would have; None if it is gone."""
        version_of = target._replace(qualifier=version or target.qualifier)
        return await self._versions.get(version_of, lambda: self._version_config(version_of))

    async def _version_config(self, target: Target) -> VersionConfig | None:
        path = f"{FUNCTIONS}/{target.name}/configuration"
        answer = await self._get(target, path, {"Qualifier": target.qualifier} if target.qualifier else {})
        if answer.status != 200:
            return None
        document = answer.json()
        dead_letter_target = (document.get("DeadLetterConfig") or {}).get("TargetArn") or None
        return VersionConfig(document["Version"], document["Role"], dead_letter_target)

    async def is_switched_off(self, target: Target) -> bool:
        """Tell whether the function's reserved concurrency is zero."""
        answer = await self._get(target, CONCURRENCY.format(target.name), {})
        return answer.status == 200 and answer.json().get("ReservedConcurrentExecutions") == 0

    async def allows_loops(self, target: Target) -> bool:
        """Tell whether Lambda's loop detection is off for the function."""
        answer = await self._get(target, RECURSION.format(target.name), {})
        return answer.status == 200 and answer.json().get("RecursiveLoop") == "Allow"

    async def invoke(self, event: Event) -> Attempt:
        """Run the function once and say how it ended."""
        answer = await self._call(event.target, None, "RequestResponse", event.payload, event.depth)
        return _attempt(answer)

    async def version_of(self, target: Target) -> str | None:
        """Return the version that the qualifier stands for, or did half a second ago."""
        return (await self.may_invoke(target, None)).headers.get("x-amz-executed-version")

    async def may_invoke(self, target: Target, credentials: Credentials | None) -> Answer:
        """Ask, as somebody or as the owner, whether an invocation would be taken (204), without making it."""
        asking = target, credentials.access_key if credentials else ACCESS_KEY
        return await self._permissions.get(asking, lambda: self._call(target, credentials, "DryRun", b"{}", 0))

    async def _call(
        self, target: Target, credentials: Credentials | None, kind: str, payload: bytes, depth: int
    ) -> Answer:
        return await self.aws.request(
            "POST",
            # The qualifier as part of the ARN, because it is part of the resource that a policy names.
            f"{FUNCTIONS}/{target.caller_arn}/invocations",
            service="lambda",
            region=target.region,
            credentials=credentials,
            headers={"x-amz-invocation-type": kind, DEPTH_HEADER: str(depth)},
            body=payload,
        )

    async def _get(self, target: Target, path: str, query: dict[str, str]) -> Answer:
        return await self.aws.request("GET", path, service="lambda", region=target.region, query=query)


def _invoke_config(document: dict[str, object]) -> InvokeConfig:
    settings = Settings()
    retries = document.get("MaximumRetryAttempts")
    age = document.get("MaximumEventAgeInSeconds")
    destinations = document.get("DestinationConfig") or {}
    return InvokeConfig(
        Settings(
            settings.maximum_retries if retries is None else int(str(retries)),
            settings.maximum_age if age is None else float(str(age)),
        ),
        _destination(destinations, "OnSuccess"),
        _destination(destinations, "OnFailure"),
    )


def _destination(destinations: object, kind: str) -> str | None:
    chosen = destinations.get(kind) if isinstance(destinations, dict) else None
    return (chosen or {}).get("Destination") or None


def _attempt(answer: Answer) -> Attempt:
    version = answer.headers.get("x-amz-executed-version")
    error = answer.headers.get("x-amz-function-error")
    if answer.status == 200 and error:
        return Attempt(Result.FUNCTION_ERROR, 200, answer.body, version, error, _error_message(answer.body))
    result = {200: Result.SUCCESS, 429: Result.THROTTLED}.get(answer.status)
    if result is None:
        result = Result.SYSTEM_ERROR if answer.status >= 500 else Result.REJECTED
    return Attempt(result, answer.status, answer.body, version, reason="" if answer.status == 200 else answer.problem)


def _error_message(payload: bytes) -> str:
    try:
        document = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return str(message) if message is not None else payload.decode("utf-8", "replace")
