"""The deployed stack, known by its outputs and by where its functions' results go."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

ENTRY = "validator"  # the stage that records are submitted to
READER = "reader"  # the function that reads files
FUNCTION, ROLE = "FunctionArn", "RoleId"
"""How the names of the outputs end that name a stage's alias, and the id of its role."""
WANTED = ("TableName", "DlqUrl", "DlqArn", f"{ENTRY.capitalize()}{FUNCTION}")


class StackError(Exception):
    """There is no such stack, or it is not a pipeline's; the message is one sentence."""


class Function(NamedTuple):
    """The function behind an ARN, whatever the qualifier."""

    region: str
    account: str
    name: str

    @classmethod
    def of_arn(cls, arn: object) -> Self | None:
        """Read the ARN of a function, of its version or of its alias; None for anything else."""
        parts = arn.split(":") if isinstance(arn, str) else []
        if len(parts) not in (7, 8) or (parts[0], parts[2], parts[5]) != ("arn", "lambda", "function"):
            return None
        return cls(parts[3], parts[4], parts[6])


class Stage(NamedTuple):
    """A stage of the pipeline."""

    name: str
    alias: str  # the ARN by which it is invoked
    role_id: str = ""
    """The id of its role, which is how the messages that it sends begin; empty where the stack does not tell."""
    event_age: int = 21_600  # seconds for which Lambda tries an event of it, at most

    @property
    def function(self) -> Function | None:
        """The function behind the alias."""
        return Function.of_arn(self.alias)


class Stack(NamedTuple):
    """A deployed stack by its outputs."""

    name: str
    status: str
    table: str
    queue_url: str
    queue_arn: str
    stages: Mapping[str, Stage]  # by name; in the pipeline's order once they have been followed
    pipeline: tuple[str, ...] = (ENTRY,)
    """The names of the stages that a record passes, from the entry on; the entry alone until they are followed."""
    bucket: str = ""  # the bucket whose files are read; empty where there is none
    files_url: str = ""  # the queue of files, as its ARN
    files_arn: str = ""

    @property
    def aliases(self) -> dict[str, str]:
        """The ARNs by which the stages are invoked, by the stages' names."""
        return {name: stage.alias for name, stage in self.stages.items()}

    def hours_from(self, stage: str) -> float:
        """Return the hours after which an event that is sent to a stage has come to its end, at most."""
        place = self.pipeline.index(stage) if stage in self.pipeline else len(self.pipeline)
        return sum(self.stages[name].event_age for name in self.pipeline[place:] or (stage,)) / 3600

    def stage_of(self, function: Function | None) -> str | None:
        """Return the name of the stage that a function is; None if it is not of this stack."""
        return next((name for name, stage in self.stages.items() if stage.function == function), None)


def describe(client: Any, name: str) -> Stack:
    """Find a stack by its name, by a client of CloudFormation."""
    if (described := find(client, name)) is None:
        raise StackError(f"There is no stack '{name}' in this region of this account.")
    return read(described)


def find(client: Any, name: str) -> Mapping[str, Any] | None:
    """Return CloudFormation's description of a stack; None if there is none."""
    try:
        found: Mapping[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"].get("Code") == "ValidationError":
            return None
        raise
    return found


def read(described: Mapping[str, Any]) -> Stack:
    """Read CloudFormation's description of a stack."""
    name, status = described["StackName"], described["StackStatus"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if missing := [key for key in WANTED if key not in outputs]:
        raise StackError(
            f"The stack '{name}' must have the outputs {', '.join(WANTED)} (missing: {', '.join(missing)}; the stack's "
            f"status is {status})."
        )
    stages = {
        stage: Stage(stage, arn, outputs.get(f"{key.removesuffix(FUNCTION)}{ROLE}", ""))
        for key, arn in outputs.items()
        if key.endswith(FUNCTION) and (stage := key.removesuffix(FUNCTION).lower())
    }
    files = [outputs.get(f"Files{what}", "") for what in ("BucketName", "QueueUrl", "QueueArn")]
    stack = Stack(name, status, outputs["TableName"], outputs["DlqUrl"], outputs["DlqArn"], stages, (ENTRY,), *files)
    _require_own(stack, described.get("StackId", ""))
    return stack


def follow(client: Any, stack: Stack) -> Stack:
    """Order the stages as records pass them, by their on-success destinations, asked of a client of Lambda.

    The pipeline ends at a stage whose results go to no function of the stack, be that nothing or a queue, and where it
    would come to a stage that it has passed already.
    """
    followed = {stage.name: stage for stage in _followed(client, stack)}
    return stack._replace(stages={**followed, **stack.stages, **followed}, pipeline=tuple(followed))


def _followed(client: Any, stack: Stack) -> Iterator[Stage]:
    name: str | None = ENTRY
    passed: set[str] = set()
    while name is not None and name not in passed:
        passed.add(name)
        stage = stack.stages[name]
        config = _event_invoke_config(client, stage.alias)
        yield stage._replace(event_age=config.get("MaximumEventAgeInSeconds", stage.event_age))
        destination = config.get("DestinationConfig", {}).get("OnSuccess", {}).get("Destination")
        name = stack.stage_of(Function.of_arn(destination))


def _event_invoke_config(client: Any, alias: str) -> Any:
    """Return how an alias is invoked asynchronously, and where its results go."""
    function, _, qualifier = alias.rpartition(":")
    try:
        return client.get_function_event_invoke_config(FunctionName=function, Qualifier=qualifier)
    except ClientError as error:
        if error.response["Error"].get("Code") == "ResourceNotFoundException":
            return {}
        raise


def _require_own(stack: Stack, stack_id: str) -> None:
    """Refuse outputs that lead out of the stack's own account and region, whoever wrote them."""
    _, _, _, region, account, *_ = [*stack_id.split(":"), *[""] * 5]
    for name, stage in stack.stages.items():
        function = stage.function
        if function is None or (function.region, function.account) != (region, account):
            raise StackError(
                f"The {name} of the stack '{stack.name}' must be a function in {region} of the account {account} "
                f"(got {stage.alias})."
            )
    queues = {"dead-letter queue": (stack.queue_arn, stack.queue_url)}
    if stack.files_arn or stack.files_url:
        queues["queue of files"] = stack.files_arn, stack.files_url
    for what, (arn, url) in queues.items():
        service, queue_region, queue_account, queue = [*arn.split(":"), *[""] * 6][2:6]
        path = urlsplit(url).path.strip("/")
        if (service, queue_region, queue_account) != ("sqs", region, account) or path != f"{account}/{queue}":
            raise StackError(
                f"The {what} of the stack '{stack.name}' must be a queue in {region} of the account {account} "
                f"(got {arn} at {url})."
            )
