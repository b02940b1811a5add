"""The stack that a command is about."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from threading import Event
from typing import Any

import click
from botocore.exceptions import ClientError

from pipeline import project
from pipeline.errors import AwsError, MisuseError
from pipeline.letters.queue import DeadLetterQueue
from pipeline.records.table import Table, quick
from pipeline.stack import Stack, StackError, describe, follow, read
from pipeline.stack.aws import DENIED, Access, code_of, explained
from pipeline.stack.invoke import Invoker
from pipeline.stack.rate_limit import RateLimiter
from pipeline.terminal.screen import Screen

Command = Callable[..., Any]

STACK_VARIABLE = "PIPELINE_STACK"


@dataclass(frozen=True)
class Context:
    """A stack as the options name it, and where to show what becomes of it; AWS is asked only when need be."""

    name: str | None  # None for the only one, or else the usual one
    region: str | None
    profile: str | None
    screen: Screen

    @cached_property
    def access(self) -> Access:
        """The way to AWS."""
        return Access.of(profile=self.profile, region=self.region)

    @cached_property
    def stack(self) -> Stack:
        """The stack, as CloudFormation knows it."""
        client = self.access.client("cloudformation")
        try:
            return describe(client, self.name or self._usual(client))
        except StackError as error:
            where = f"It was looked for in {self.access.region}"
            raise AwsError(f"{error} {where}: --stack-name, --region or --profile name another.") from error

    @cached_property
    def pipeline(self) -> Stack:
        """The stack, with its stages in the order in which records pass them."""
        stack = follow(self.access.client("lambda"), self.stack)
        if not all(stage.role_id for stage in stack.stages.values()):
            self.screen.note("The stack does not name all its roles, so not every letter has a stage: deploy it anew.")
        return stack

    def require_stages(self, names: Iterable[str]) -> None:
        """Refuse what is no stage of the stack."""
        for name in names:
            if name not in (stages := self.pipeline.stages):
                raise MisuseError(f"There is no stage '{name}' in '{self.stack.name}': it has {', '.join(stages)}.")

    def queue(self, *, connections: int = 10) -> DeadLetterQueue:
        """Return the dead-letter queue, for so many threads."""
        return DeadLetterQueue(self.access.client("sqs", connections=connections), self.stack.queue_url)

    def table(self, *, rate: float | None = None) -> Table:
        """Return the data table, of which so many keys are read a second."""
        return Table(quick(self.access.client("dynamodb")), self.stack.table, RateLimiter(rate))

    def invoker(self, *, rate: float | None, parallel: int, patience: float) -> Invoker:
        """Return what sends events at a rate (each second), from so many threads."""
        stop = Event()
        client = self.access.client("lambda", attempts=1, connections=parallel)
        return Invoker(client, RateLimiter(rate, wait=stop.wait), stop, patience)

    def _usual(self, client: Any) -> str:
        """Return the name of the stack if none is named, as long as there are not several to choose from."""
        try:
            pages = client.get_paginator("describe_stacks").paginate()
            names = sorted(stack["StackName"] for page in pages for stack in page["Stacks"] if _is_pipeline(stack))
        except ClientError as error:
            if code_of(error) in DENIED:  # who may see one stack alone has no others to choose from
                return _default()
            raise
        if len(names) > 1:
            raise MisuseError(
                f"There are several such stacks in {self.access.region} ({', '.join(names)}): name one by --stack-name "
                f"or {STACK_VARIABLE}."
            )
        return _default()


def of_stack(command: Command) -> Command:
    """Let a command take the stack that the AWS tools' options name, as its first argument."""

    @click.option(
        "--stack-name",
        envvar=STACK_VARIABLE,
        help=f"The deployed stack.  [default: {STACK_VARIABLE}, or that of samconfig.toml unless there are several]",
    )
    @click.option("--region", help="The stack's region.  [default: as for the AWS tools]")
    @click.option("--profile", help="The profile of the AWS configuration files.  [default: as for the AWS tools]")
    @wraps(command)
    def opened(
        stack_name: str | None, region: str | None, profile: str | None, *, whole_json: bool = False, **rest: Any
    ) -> None:
        screen = Screen(as_json=whole_json)
        try:
            with explained():
                command(Context(stack_name, region, profile, screen), **rest)
        finally:
            screen.close()

    return opened


in_json = click.option("--json", "whole_json", is_flag=True, help="Print one JSON document that names all lines.")
"""Lets a command of a stack print what it says as one JSON document."""


def _default() -> str:
    """Return the name of the stack that the project in the current folder deploys."""
    if folder := project.find():
        return project.default_stack(folder)
    raise MisuseError(f"No stack is named, and {Path.cwd()} is in no project: use --stack-name or {STACK_VARIABLE}.")


def _is_pipeline(described: Mapping[str, Any]) -> bool:
    try:
        read(described)
    except StackError:
        return False
    return True
