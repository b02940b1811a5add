"""Build and deploy by the SAM CLI, to the embedded AWS; the deployed stack is known by its outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.embedded import ROOT, EmbeddedAws
from local.environment import for_tools
from local.errors import LocalError
from local.settings import REGION
from local.workspace import Workspace

STACK_NAME = "data-processing-dev"
ALIAS = "FunctionArn"
"""How the names of the outputs end that name the stages' aliases."""
PARAMETERS = {"ProcessorProvisionedConcurrency": "0", "Architecture": "x86_64"}
"""Nothing is kept warm here, and the functions run on this machine."""


class Stack(NamedTuple):
    """The outputs of the deployed stack."""

    table: str
    dead_letter_queue_url: str
    dead_letter_queue_arn: str
    functions: Mapping[str, str]
    """The ARN of each stage's alias by the stage's name, in the pipeline's order."""

    @property
    def validator(self) -> str:
        """The alias that producers invoke."""
        return next(iter(self.functions.values()))

    @classmethod
    def of_outputs(cls, outputs: Mapping[str, str], client: Any) -> Stack:
        """Read the outputs by their names, and follow the pipeline from the validator by its on-success destinations.

        Raises:
            LocalError: An output is missing.
        """
        names = ("TableName", "DlqUrl", "DlqArn", "ValidatorFunctionArn")
        missing = [name for name in names if name not in outputs]
        if missing:
            raise LocalError(f"the stack must have the outputs {', '.join(names)} (missing: {', '.join(missing)})")
        table, url, arn, first = (outputs[name] for name in names)
        stages = {alias: name.removesuffix(ALIAS).lower() for name, alias in outputs.items() if name.endswith(ALIAS)}
        return cls(table, url, arn, {stages.get(alias, alias): alias for alias in _pipeline(client, first)})


def _pipeline(client: Any, first: str) -> Iterator[str]:
    """Yield the aliases from the first on, each the on-success destination of the one before."""
    alias: str | None = first
    while alias:
        yield alias
        name, qualifier = alias.rsplit(":", 1)
        config = client.get_function_event_invoke_config(FunctionName=name, Qualifier=qualifier)
        alias = config.get("DestinationConfig", {}).get("OnSuccess", {}).get("Destination")


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
    """Deploy a built template and return its outputs."""
    environment = for_tools(aws.environment, aws.workspace.folder("tmp"))
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    arguments = [
        *("--template-file", str(template)),
        *("--stack-name", STACK_NAME),
        *("--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        *("--parameter-overrides", *overrides),
        "--resolve-s3",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
    ]
    _sam("deploy", arguments, environment, root)
    return Stack.of_outputs(outputs(aws), aws.client("lambda"))


def outputs(aws: EmbeddedAws) -> dict[str, str]:
    """Return the deployed stack's outputs."""
    described: Any = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0].get("Outputs", [])}


def _sam(command: str, arguments: list[str], environment: Mapping[str, str], root: Path) -> None:
    """Run one command of the SAM CLI; what it printed is shown when it fails."""
    reading, writing = os.pipe()  # held open as long as this process lives
    try:
        done = subprocess.run(
            [sys.executable, "-m", "local.tether", sys.executable, "-m", "samcli", command, *arguments],
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
