"""What is refused because it could mean two things: IAM would judge one request, and MiniStack would carry out another.

MiniStack reads the action of a request from a header, the query, the body or the path, in another order at each place.
So a request names its action in the one place that its service's protocol has for it, and each parameter once.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from pipeline.local.asynchronous.aws_api import AUTHORIZATION, Caller, Scope, header

from .certificate import NAMES
from .ministack import REST, ministack

FORM = "x-www-form-urlencoded"
TWICE = re.compile(r"%|//")
"""What MiniStack would decode, or leave out, in a path that was decoded; only keys of S3 have it."""
QUERY_ONLY = ("iam", "sts", "cloudformation")  # services that MiniStack takes JSON for, and AWS doesn't
SAME = {"cloudcontrol": "cloudcontrolapi", "dynamodbstreams": "dynamodb"}  # services whose credentials name another one


class Parameters(NamedTuple):
    """The parameters of a request, by their place, and the action that a header names."""

    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    target: str

    @property
    def actions(self) -> list[str]:
        """All that names an action."""
        named = [value for name, value in (*self.query, *self.form) if name == "Action"]
        return named + [self.target] * bool(self.target)


def ambiguity(scope: Scope, caller: Caller, body: bytes) -> str | None:
    """Say what could be read in two ways; None if nothing can."""
    is_form = FORM in header(scope, "content-type").lower() and caller.service not in REST
    query, form = _parsed(scope["query_string"]), _parsed(body) if is_form else []
    parameters = Parameters(query, form, header(scope, "x-amz-target"))
    if header(scope, "host").rpartition(":")[0] not in NAMES:
        return f"The host is none of {', '.join(NAMES)}."
    if caller.service != "s3" and TWICE.search(scope["path"]):
        return "The path could be read in two ways."
    if len(parameters.actions) > 1:
        return "The request names its action more than once."
    return _of_target(scope, caller, parameters) if parameters.target else _of_action(scope, caller, parameters, body)


def _of_target(scope: Scope, caller: Caller, parameters: Parameters) -> str | None:
    if caller.service in QUERY_ONLY or _service(caller.service, "") != _service(caller.service, parameters.target):
        return f"The credential is for {caller.service}, and the target is another service's."
    if scope["method"] != "POST" or scope["path"] != "/" or parameters.query or parameters.form:
        return "A request with a target has its parameters in a JSON body."
    return None


def _of_action(scope: Scope, caller: Caller, parameters: Parameters, body: bytes) -> str | None:
    if not parameters.actions:
        return None
    if scope["path"] != "/" and caller.service != "sqs":
        return "The request names an action and a path."
    if (parameters.query and body) or header(scope, "content-encoding"):
        return "The request has parameters in two places."
    given = [name for name, _ in (*parameters.query, *parameters.form)]
    return "The request names a parameter more than once." if len(set(given)) < len(given) else None


@lru_cache(1000)
def _service(signed: str, target: str) -> str:
    """Return the service that MiniStack gives a request to, by the service of its credential and by its target."""
    authorization = AUTHORIZATION.format(access_key="key", region="us-east-1", service=signed)
    headers = {"authorization": authorization, "x-amz-target": target}
    service: str = ministack("core.router").detect_service("POST", "/", headers, {})
    return SAME.get(service, service)


def _parsed(encoded: bytes) -> list[tuple[str, str]]:
    return parse_qsl(encoded.decode("utf-8", "replace"), keep_blank_values=True)
