"""Options and arguments that mean the same in several commands."""

import re
from collections.abc import Callable
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

from pipeline.commands.shared.context import Command, Context
from pipeline.letters.selection import UNKNOWN, Selection

FILE = click.Path(dir_okay=False, path_type=Path)
records_argument = click.argument("records", type=click.Path(path_type=Path))
"""A file of records; `-` is standard input."""
keys_only_option = click.option(
    "--keys-only", is_flag=True, help="Ignore data that differs: for a pipeline whose stages change data."
)


def file_option(name: str, text: str) -> Callable[[Command], Command]:
    """Let a command take the path of a file, as its argument `..._path`."""
    return click.option(name, f"{name.removeprefix('--')}_path", type=FILE, help=text)


def all_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Let a command take several options, which its help shows in this order."""
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)


def sending(rate: str) -> Callable[[Command], Command]:
    """Let a command take how fast events are sent; `rate` says what the rate counts, and its default."""
    parallel, patience = "Events sent at once.", "Seconds without any success after which it gives up."
    return all_of(
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), help=rate),
        click.option("--parallel", type=click.IntRange(1, 100), default=8, help=parallel),
        click.option("--patience", type=click.FloatRange(min=0), default=60, help=patience),
    )


def settling(what: str, *, quiet: float, after: str) -> Callable[[Command], Command]:
    """Let a command take --settle, and how long it may be quiet."""
    news = f"With --settle, seconds without any news {after}."
    return all_of(
        click.option("--settle", is_flag=True, help=what),
        click.option("--quiet", type=click.FloatRange(min=0), default=quiet, help=news),
    )


def selecting(command: Command) -> Command:
    """Let a command take a choice of letters, as its argument `selection`."""

    @click.option(
        "--stage",
        "stages",
        metavar="STAGE",
        multiple=True,
        help="Only letters of this stage, or `unknown`. May be repeated.",
    )
    @click.option("--grep", metavar="REGEX", callback=_pattern, help="Only letters whose event or error matches.")
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
