"""Checking a deployed stack for what the embedded AWS can't do, before anything is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.destinations import UnsupportedTargetError, require_supported
from local.errors import LocalError


def require_supported_targets(client: Any) -> None:
    """Look at every function's destinations and dead-letter target.

    Raises:
        LocalError: One of them is of a kind that is not delivered to.
    """
    for function, target in _targets(client):
        try:
            require_supported(target)
        except UnsupportedTargetError as error:
            raise LocalError(f"{function}: {error}") from error


def _targets(client: Any) -> Iterator[tuple[str, str]]:
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            if dead_letter_target := function.get("DeadLetterConfig", {}).get("TargetArn"):
                yield name, dead_letter_target
            for config in client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]:
                for destination in config.get("DestinationConfig", {}).values():
                    if arn := destination.get("Destination"):
                        yield name, arn
