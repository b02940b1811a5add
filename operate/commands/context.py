"""What the commands share: the stack that they are about, and the options that mean the same in several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from threading import Event
from typing import Any

import click

from deployed import Stack, StackError, describe, follow
from operate.aws import Access, explained
from operate.dead_letters.history import History, default_path
from operate.dead_letters.peek import peek
from operate.dead_letters.queue import DeadLetterQueue, Depth
from operate.dead_letters.selection import UNKNOWN, Finding, Selection, examine
from operate.errors import AwsError, MisuseError, StoppedError
from operate.invoke import Invoker
from operate.rate_limit import RateLimiter
from operate.screen import Screen, counted

Command = Callable[..., Any]

STACK_NAME = "data-processing-dev"
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

    name: str
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
        try:
            return describe(self.access.client("cloudformation"), self.name)
        except StackError as error:
            where = f"It was looked for in {self.access.region}"
            raise AwsError(f"{error} {where}: --stack-name, --region or --profile name another.") from error

    @cached_property
    def pipeline(self) -> Stack:
        """The stack, with its stages in the order in which records pass them."""
        return follow(self.access.client("lambda"), self.stack)

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
    ) -> Iterator[Iterator[Finding]]:
        """Peek at all letters of the queue, with progress; those that can't be seen are counted at the end."""
        stack, queue = self.pipeline, self.queue()
        depth, seen = queue.depth(), 0
        with self.history(history) as known, self.screen.progress(progress, depth.visible, shown=shown) as advance:
            if known.problem:
                self.screen.note(f"What was redriven before is not known: {known.problem}.")

            def examined(letters: Iterable[Any]) -> Iterator[Finding]:
                nonlocal seen
                for letter in letters:
                    advance(1)
                    seen += 1
                    yield examine(letter, stack, known)

            try:
                with peek(queue, depth) as letters:
                    yield examined(letters)
            except KeyboardInterrupt as error:
                raise StoppedError("Interrupted: the letters that were looked at are back in the queue.") from error
        self.note_unseen(depth, seen)

    def note_unseen(self, depth: Depth, seen: int) -> int:
        """Say how many letters could not be seen, if any, and return how many."""
        if unseen := depth.unseen(seen):
            self.screen.note(
                f"About {counted(unseen, 'more letter was', 'more letters were')} in another reader's hands when this "
                "began, perhaps of a command that was killed: they come back when its time is up."
            )
        return unseen


def of_stack(command: Command) -> Command:
    """Let a command take the stack that the AWS tools' options name, as its first argument."""

    @click.option("--stack-name", default=STACK_NAME, show_default=True, help="The deployed stack.")
    @click.option("--region", help="The stack's region.  [default: as for the AWS tools]")
    @click.option("--profile", help="The profile of the AWS configuration files.  [default: as for the AWS tools]")
    @wraps(command)
    def opened(stack_name: str, region: str | None, profile: str | None, **rest: Any) -> None:
        screen = Screen()
        try:
            with explained():
                command(Context(stack_name, region, profile, screen), **rest)
        finally:
            screen.close()

    return opened


def sending(command: Command) -> Command:
    """Let a command take how fast events are sent."""
    for option in (
        click.option(
            "--patience",
            type=click.FloatRange(min=0),
            default=60,
            show_default=True,
            help="Seconds of nothing but throttling or faults after which it gives up.",
        ),
        click.option(
            "--parallel", type=click.IntRange(1, 100), default=8, show_default=True, help="Events sent at once."
        ),
        click.option(
            "--rate",
            type=click.FloatRange(min=0, min_open=True),
            help="Events a second at most; fewer while AWS throttles.  [default: as fast as it goes]",
        ),
    ):
        command = option(command)
    return command


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
        help="The file of what was redriven before.  [default: one for each queue, in ~/.local/state/data-processing]",
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
