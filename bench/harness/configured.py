"""What the model configures: each stage's memory, timeout and runtime, as they are deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from troposphere import Template

from model import build
from pipeline.stack import ENTRY


class Configured(NamedTuple):
    """The configuration of one stage's function."""

    memory: int
    """MB."""
    timeout: int
    """Seconds."""
    runtime: str


@cache
def stages() -> Mapping[str, Configured]:
    """Return the stages of the pipeline by the names of their modules, from the first to the last."""
    return stages_of(build())


def stages_of(template: Template) -> Mapping[str, Configured]:
    """Read the stages off a template: the entry, and each one that the one before hands on to."""
    found = {}
    stage = ENTRY.capitalize()
    while stage:
        function = template.resources[f"{stage}Function"].properties
        name = function["Handler"].partition(".")[0]
        found[name] = Configured(function["MemorySize"], function["Timeout"], function["Runtime"])
        stage = handed_on_to(function["EventInvokeConfig"].to_dict())
    return found


def handed_on_to(settings: Mapping[str, object]) -> str:
    """Return which stage a function's asynchronous settings name as their destination, in capitals; empty if none."""
    destination = re.search(r'"(\w+)Function\.Alias"', json.dumps(settings))
    return destination[1] if destination else ""
