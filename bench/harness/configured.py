"""The model's configuration of each stage, as it is deployed."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from troposphere import Template

from model import build

FUNCTION = "AWS::Serverless::Function"


class Configured(NamedTuple):
    """The configuration of one stage's function: memory in MB, timeout in seconds."""

    memory: int
    timeout: int
    runtime: str
    retries: int


@cache
def stages() -> Mapping[str, Configured]:
    """Return the stages of the pipeline by the names of their modules, from the first to the last."""
    return stages_of(build())


def stages_of(template: Template) -> Mapping[str, Configured]:
    """Read the stages off a template: the function that no other hands on to, and those after it."""
    functions = {title: one.properties for title, one in template.resources.items() if one.resource_type == FUNCTION}
    after = {title: handed_on_to(one.get("EventInvokeConfig")) for title, one in functions.items()}
    stage = next(title for title, following in after.items() if following and title not in after.values())
    found = {}
    while stage:
        one = functions[stage]
        retries = one["EventInvokeConfig"].properties["MaximumRetryAttempts"]
        found[one["Handler"].partition(".")[0]] = Configured(one["MemorySize"], one["Timeout"], one["Runtime"], retries)
        stage = after[stage]
    return found


def handed_on_to(settings: Any) -> str:
    """Return which function a function's asynchronous settings name as their destination; empty if none."""
    described = settings.to_dict() if hasattr(settings, "to_dict") else settings
    destination = re.search(r'"(\w+Function)\.Alias"', json.dumps(described))
    return destination[1] if destination else ""
