"""The program: one command, its errors as one sentence each, its exit code."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from pipeline.commands import cli
from pipeline.errors import INTERRUPTED, CommandError
from pipeline.terminal.printable import printable


class Signalled(KeyboardInterrupt):
    """A signal that ends the program as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run() -> int:
    """Run the command that the program's arguments name, and return its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see __main__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what an encoding can't show must not end a command
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        code = cli(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CommandError as error:
        click.echo(f"Error: {_shown(error)}", file=sys.stderr)
        return _by_signal(error) or error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        return _by_signal(error) or INTERRUPTED
    return code if isinstance(code, int) else 0


def _shown(error: CommandError) -> str:
    """Return the message; what a program printed is kept in its lines below the sentence."""
    return "\n".join(map(printable, str(error).split("\n")))


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise Signalled(number)


def _by_signal(error: BaseException) -> int | None:
    cause = error.__cause__
    if isinstance(cause, RuntimeError):  # of a lock that was being taken
        cause = cause.__context__
    return 128 + cause.number if isinstance(cause, Signalled) else None
