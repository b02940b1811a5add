"""What the commands share: the stack that they are about, and the options that mean the same in several."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from threading import Event
from typing import Any

import click

from operate.aws import Access, explained
from operate.dead_letters.history import History, default_path
from operate.dead_letters.queue import DeadLetterQueue
from operate.dead_letters.selection import Selection
from operate.invoke import Invoker
from operate.rate_limit import Pace
from operate.screen import Screen
from operate.stack import Stack, find, follow

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
class Deployed:
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
        return find(self.access, self.name)

    @cached_property
    def pipeline(self) -> Stack:
        """The stack, with the way of the records through its stages."""
        return follow(self.access, self.stack)

    def queue(self, *, connections: int = 10) -> DeadLetterQueue:
        """Return the dead-letter queue, for so many threads."""
        return DeadLetterQueue(self.access.client("sqs", connections=connections), self.stack.queue_url)

    def invoker(self, *, rate: float | None, parallel: int, patience: float) -> Invoker:
        """Return what sends events at a rate (each second), from so many threads."""
        stop = Event()
        client = self.access.client("lambda", attempts=1, connections=parallel)
        return Invoker(client, Pace(rate, wait=stop.wait), stop, patience)

    def history(self, path: Path | None, *, writing: bool = False) -> History:
        """Return what was redriven of the queue, from a file or the usual place."""
        return History(path or default_path(self.stack.queue_arn), writing=writing)


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
                command(Deployed(stack_name, region, profile, screen), **rest)
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
    def chosen(*arguments: Any, stages: tuple[str, ...], grep: re.Pattern[str] | None, **rest: Any) -> None:
        command(*arguments, selection=Selection(frozenset(stages), grep), **rest)

    return chosen


def _pattern(_context: click.Context, _parameter: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"'{value}' is not a regular expression: {error}.") from error
