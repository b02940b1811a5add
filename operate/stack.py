"""The deployed stack, known by its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from operate.aws import Access, code_of, explained
from operate.errors import AwsError, MisuseError

ENTRY = "validator"
"""The stage that records are submitted to."""
OUTPUT = "FunctionArn"
"""How the names of the outputs end that name the stages' aliases."""


class Function(NamedTuple):
    """The function behind an ARN, whatever the qualifier."""

    region: str
    account: str
    name: str

    @classmethod
    def of_arn(cls, arn: object) -> Function | None:
        """Read the ARN of a function, of its version or of its alias; None for anything else."""
        parts = arn.split(":") if isinstance(arn, str) else []
        if len(parts) not in (7, 8) or (parts[0], parts[2], parts[5]) != ("arn", "lambda", "function"):
            return None
        return cls(parts[3], parts[4], parts[6])


class Stack(NamedTuple):
    """A deployed stack by its outputs."""

    name: str
    status: str
    table: str
    queue_url: str
    queue_arn: str
    aliases: Mapping[str, str]
    """The ARNs by which the stages are invoked, by the stages' names."""
    after: Mapping[str, str]
    """The stage that a stage's results go to; empty as long as nobody has followed them."""

    def stage_of(self, function: Function | None) -> str | None:
        """Return the stage that a function is; None if it is not of this stack."""
        return next((stage for stage, alias in self.aliases.items() if Function.of_arn(alias) == function), None)

    def require(self, stages: Iterable[str]) -> None:
        """Refuse what is no stage of this stack.

        Raises:
            MisuseError: One of them is none.
        """
        if wrong := [stage for stage in stages if stage not in self.aliases]:
            raise MisuseError(f"There is no stage '{wrong[0]}' in '{self.name}': it has {', '.join(self.aliases)}.")


def find(access: Access, name: str) -> Stack:
    """Find a stack by its name in the session's account and region.

    Raises:
        AwsError: There is none, or it is not the pipeline's.
    """
    with explained():
        try:
            described: Any = access.client("cloudformation").describe_stacks(StackName=name)
        except ClientError as error:
            if code_of(error) == "ValidationError":
                raise AwsError(
                    f"There is no stack '{name}' in the region {access.region} of this account: name another by "
                    "--stack-name, --region or --profile."
                ) from error
            raise
    return read(described["Stacks"][0])


def read(described: Mapping[str, Any]) -> Stack:
    """Read CloudFormation's description of a stack.

    Raises:
        AwsError: An output is missing, or is not what it should be.
    """
    name, status = described["StackName"], described["StackStatus"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    wanted = ("TableName", "DlqUrl", "DlqArn", f"{ENTRY.capitalize()}{OUTPUT}")
    if missing := [key for key in wanted if key not in outputs]:
        raise AwsError(
            f"The stack '{name}' must have the outputs {', '.join(wanted)} (missing: {', '.join(missing)}; the stack's "
            f"status is {status})."
        )
    aliases = {key.removesuffix(OUTPUT).lower(): arn for key, arn in outputs.items() if key.endswith(OUTPUT)}
    return Stack(name, status, outputs["TableName"], outputs["DlqUrl"], outputs["DlqArn"], aliases, {})


def follow(access: Access, stack: Stack) -> Stack:
    """Find out which stage each stage's results go to, by its on-success destination, and order the stages so."""
    client = access.client("lambda")
    with explained():
        after = {
            stage: follower
            for stage, alias in stack.aliases.items()
            if (follower := stack.stage_of(Function.of_arn(_destination(client, alias))))
        }
    order = list(_chain(after))
    aliases = {stage: stack.aliases[stage] for stage in [*order, *(s for s in stack.aliases if s not in order)]}
    return stack._replace(aliases=aliases, after=after)


def _destination(client: Any, alias: str) -> str | None:
    function, _, qualifier = alias.rpartition(":")
    try:
        config = client.get_function_event_invoke_config(FunctionName=function, Qualifier=qualifier)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise
    destination: str | None = config.get("DestinationConfig", {}).get("OnSuccess", {}).get("Destination")
    return destination


def _chain(after: Mapping[str, str]) -> Iterator[str]:
    """Yield the stages from the entry on, each once."""
    stage: str | None = ENTRY
    passed: set[str] = set()
    while stage is not None and stage not in passed:
        yield stage
        passed.add(stage)
        stage = after.get(stage)
