"""What the model configures: each stage's memory, timeout and runtime, as they are deployed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from troposphere import Template

from model import build


class Configured(NamedTuple):
    """The configuration of one stage's function."""

    memory: int
    """MB."""
    timeout: int
    """Seconds."""
    runtime: str


@cache
def stages() -> Mapping[str, Configured]:
    """Return the stages that every deployment has, by the names of their modules, from the first to the last."""
    return stages_of(build())


def stages_of(template: Template) -> Mapping[str, Configured]:
    """Read the stages off a template."""
    functions = (
        resource.properties
        for resource in template.resources.values()
        if resource.resource_type == "AWS::Serverless::Function" and not resource.resource.get("Condition")
    )
    return {
        function["Handler"].partition(".")[0]: Configured(
            function["MemorySize"], function["Timeout"], function["Runtime"]
        )
        for function in functions
    }
