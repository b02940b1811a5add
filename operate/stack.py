"""The deployed stack, known by its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from operate.aws import Access, code_of, explained
from operate.errors import AwsError


class Stage(Enum):
    """A stage of the pipeline, in the order in which a record passes them."""

    VALIDATOR = "validator"
    ENRICHER = "enricher"
    PROCESSOR = "processor"


ENTRY = Stage.VALIDATOR


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
    aliases: Mapping[Stage, str]
    """The ARNs by which the stages are invoked."""

    def stage_of(self, function: Function) -> Stage | None:
        """Return the stage that a function is; None if it is not of this stack."""
        return next((stage for stage, alias in self.aliases.items() if Function.of_arn(alias) == function), None)


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
    functions = {stage: f"{stage.value.capitalize()}FunctionArn" for stage in Stage}
    wanted = ("TableName", "DlqUrl", "DlqArn", *functions.values())
    if missing := [key for key in wanted if key not in outputs]:
        raise AwsError(
            f"The stack '{name}' must have the outputs {', '.join(wanted)} (missing: {', '.join(missing)}; the stack's "
            f"status is {status})."
        )
    aliases = {stage: outputs[key] for stage, key in functions.items()}
    return Stack(name, status, outputs["TableName"], outputs["DlqUrl"], outputs["DlqArn"], aliases)
