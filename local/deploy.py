"""Builds the stack and deploys it to the embedded AWS, by the SAM CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deployed import DEFAULT_STACK, Stack, StackError, describe, follow

from .asynchronous import UnsupportedTargetError, require_supported
from .embedded.environment import REGION, for_tools
from .embedded.process import ROOT, EmbeddedAws
from .embedded.workspace import Workspace
from .errors import LocalError

PARAMETERS = {"ProcessorProvisionedConcurrency": "0", "Architecture": "x86_64"}
"""Nothing is kept warm here, and the functions run on this machine."""
WITH_FILES = {**PARAMETERS, "FilesBucket": "true"}


def build(workspace: Workspace, *, root: Path = ROOT) -> Path:
    """Build the template at the repository's root, and return the built one."""
    built = workspace.path / "build"
    environment = for_tools({}, workspace.folder("tmp"))
    arguments = [
        "--template-file",
        "template.yaml",
        "--build-dir",
        str(built),
        "--cache-dir",
        str(workspace.path / "cache"),
    ]
    _sam("build", arguments, environment, root)
    return built / "template.yaml"


def deploy(aws: EmbeddedAws, template: Path, *, root: Path = ROOT, parameters: Mapping[str, str] = PARAMETERS) -> Stack:
    """Deploy a built template and return the stack, its stages in the pipeline's order.

    Raises:
        LocalError: It can't be deployed, is no pipeline, or sends to what the embedded AWS doesn't deliver to.
    """
    environment = for_tools(aws.environment, aws.workspace.folder("tmp"))
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    arguments = [
        *("--template-file", str(template)),
        *("--stack-name", DEFAULT_STACK),
        *("--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        *("--parameter-overrides", *overrides),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
    ]
    _sam("deploy", arguments, environment, root)
    functions = aws.client("lambda")
    _require_supported_targets(functions)
    try:
        return follow(functions, describe(aws.client("cloudformation"), DEFAULT_STACK))
    except StackError as error:
        raise LocalError(str(error)) from error


def _require_supported_targets(client: Any) -> None:
    """Look at every function's destinations and dead-letter target, before anything is lost by them."""
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


def _sam(command: str, arguments: list[str], environment: Mapping[str, str], root: Path) -> None:
    """Run one command of the SAM CLI; what it printed is shown when it fails."""
    reading, writing = os.pipe()  # held open as long as this process lives
    try:
        done = subprocess.run(
            [sys.executable, "-m", "local.embedded.tether", sys.executable, "-m", "samcli", command, *arguments],
            cwd=root,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    if done.returncode:
        printed = done.stdout.decode("utf-8", "replace").strip()
        raise LocalError(f"sam {command} failed with exit code {done.returncode}; it printed:\n{printed}")
