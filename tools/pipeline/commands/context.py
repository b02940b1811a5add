"""What the commands share: the stack that they are about, and the options that mean the same in several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from threading import Event
from typing import Any

import click
from botocore.exceptions import ClientError

from pipeline import project
from pipeline.errors import AwsError, MisuseError, StoppedError, is_interruption
from pipeline.letters.history import History, default_path
from pipeline.letters.peek import Peek
from pipeline.letters.queue import IN_FLIGHT, DeadLetterQueue, Depth
from pipeline.letters.selection import UNKNOWN, Finding, Selection, examine
from pipeline.stack import Stack, StackError, describe, follow, read
from pipeline.stack.aws import DENIED, Access, code_of, explained
from pipeline.stack.invoke import Invoker
from pipeline.stack.rate_limit import RateLimiter
from pipeline.terminal.printable import counted
from pipeline.terminal.screen import Screen

Command = Callable[..., Any]

STACK_VARIABLE = "PIPELINE_STACK"
EXIT_CODES = """\b
Exit codes:
  0    all is done
  1    something is left, was refused or failed; the output says what
  2    the command can't be run as it was given
  3    AWS refused, or can't be reached
  130  interrupted by Ctrl-C; 128 + n by signal n
"""


@dataclass(frozen=True)
class Context:
    """A stack as the options name it, and where to show what comes of it; AWS is asked only when need be."""

    name: str | None
    """None for the only one, or else the usual one."""
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

    def _usual(self, client: Any) -> str:
        """Return the name of the stack where none is named, as long as there are not several to choose from.

        Raises:
            MisuseError: There are.
        """
        try:
            pages = client.get_paginator("describe_stacks").paginate()
            names = sorted(stack["StackName"] for page in pages for stack in page["Stacks"] if _is_pipeline(stack))
        except ClientError as error:
            if code_of(error) in DENIED:  # who may see one stack alone has no others to choose from
                return self._default()
            raise
        if len(names) > 1:
            raise MisuseError(
                f"There are several such stacks in {self.access.region} ({', '.join(names)}): name one by --stack-name "
                f"or {STACK_VARIABLE}."
            )
        return self._default()

    def _default(self) -> str:
        """Return the name of the stack that the project in the current folder deploys.

        Raises:
            MisuseError: There is no project.
        """
        folder = project.find()
        if folder is None:
            raise MisuseError(
                f"No stack is named, and {Path.cwd()} is in no project: use --stack-name or {STACK_VARIABLE}."
            )
        return project.default_stack(folder)

    @cached_property
    def pipeline(self) -> Stack:
        """The stack, with its stages in the order in which records pass them."""
        stack = follow(self.access.client("lambda"), self.stack)
        if not all(stage.role_id for stage in stack.stages.values()):
            self.screen.note("The stack does not name all its roles, so not every letter has a stage: deploy it anew.")
        return stack

    def require_stages(self, names: Iterable[str]) -> None:
        """Refuse what is no stage of the stack.

        Raises:
            MisuseError: One of them is none.
        """
        for name in names:
            if name not in (stages := self.pipeline.stages):
                raise MisuseError(f"There is no stage '{name}' in '{self.stack.name}': it has {', '.join(stages)}.")

    def queue(self, *, connections: int = 10) -> DeadLetterQueue:
        """Return the dead-letter queue, for so many threads."""
        return DeadLetterQueue(self.access.client("sqs", connections=connections), self.stack.queue_url)

    def invoker(self, *, rate: float | None, parallel: int, patience: float) -> Invoker:
        """Return what sends events at a rate (each second), from so many threads."""
        stop = Event()
        client = self.access.client("lambda", attempts=1, connections=parallel)
        return Invoker(client, RateLimiter(rate, wait=stop.wait), stop, patience)

    def history(self, path: Path | None, *, writing: bool = False) -> History:
        """Return what was redriven of the queue, from a file or the usual place."""
        return History(path or default_path(self.stack.queue_arn), writing=writing)

    @contextmanager
    def findings(
        self, history: Path | None, *, progress: str = "dead letters", shown: bool = True
    ) -> Iterator[tuple[Iterator[Finding], Peek]]:
        """Peek at all letters of the queue, with progress; those that can't be seen are counted at the end."""
        stack, queue = self.pipeline, self.queue()
        depth, seen = queue.depth(), 0
        with self.history(history) as known, self.screen.progress(progress, depth.visible, shown=shown) as advance:
            if known.problem:
                self.screen.note(f"What was redriven before is not known: {known.problem}.")

            def examined(letters: Peek) -> Iterator[Finding]:
                nonlocal seen
                for letter in letters:
                    advance(1)
                    seen += 1
                    yield examine(letter, stack, known)
                if seen < depth.visible:
                    self.note_full(queue)

            try:
                with Peek(queue, depth) as letters:
                    yield examined(letters), letters
            except (KeyboardInterrupt, RuntimeError) as error:
                if not is_interruption(error):
                    raise
                raise StoppedError("Interrupted: what was looked at and not deleted is back in the queue.") from error
        self.note_unseen(depth, seen)

    def note_unseen(self, depth: Depth, seen: int) -> int:
        """Say how many letters could not be seen, if any, and return how many."""
        if unseen := depth.unseen(seen):
            self.screen.note(
                f"About {counted(unseen, 'more letter was', 'more letters were')} in another reader's hands when this "
                "began, perhaps of a command that was killed: they come back when its time is up."
            )
        return unseen

    def note_full(self, queue: DeadLetterQueue) -> None:
        """Say that SQS hands out no more letters, if that is so."""
        if (depth := queue.depth()).is_full:
            self.screen.note(
                f"SQS hands out no more letters: {depth.in_flight} are in flight, of {IN_FLIGHT} that may be. "
                f"{depth.visible} more are there, and are seen when those have come back."
            )


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
    def opened(stack_name: str | None, region: str | None, profile: str | None, **rest: Any) -> None:
        screen = Screen()
        try:
            with explained():
                command(Context(stack_name, region, profile, screen), **rest)
        finally:
            screen.close()

    return opened


def sending(rate: str) -> Callable[[Command], Command]:
    """Let a command take how fast events are sent; `rate` says what the rate counts, and its default."""
    options = (
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), help=rate),
        click.option(
            "--parallel", type=click.IntRange(1, 100), default=8, show_default=True, help="Events sent at once."
        ),
        click.option(
            "--patience",
            type=click.FloatRange(min=0),
            default=60,
            show_default=True,
            help="Seconds of nothing but throttling or faults after which it gives up.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def selecting(command: Command) -> Command:
    """Let a command take a choice of letters, as its argument `selection`, and the history's file."""

    @click.option(
        "--stage",
        "stages",
        metavar="STAGE",
        multiple=True,
        help="Only letters of this stage; may be given more than once. unknown: those that can't be attributed.",
    )
    @click.option("--grep", metavar="REGEX", callback=_pattern, help="Only letters whose event or error has a match.")
    @click.option(
        "--history",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The file of what was redriven before.  [default: one for each queue, in ~/.local/state/pipeline]",
    )
    @wraps(command)
    def chosen(context: Context, *, stages: tuple[str, ...], grep: re.Pattern[str] | None, **rest: Any) -> None:
        context.require_stages(name for name in stages if name != UNKNOWN)
        command(context, selection=Selection(frozenset(stages), grep), **rest)

    return chosen


def _pattern(_context: click.Context, _parameter: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"'{value}' is not a regular expression: {error}.") from error


def _is_pipeline(described: Mapping[str, Any]) -> bool:
    """Return whether CloudFormation describes a stack of this kind."""
    try:
        read(described)
    except StackError:
        return False
    return True
