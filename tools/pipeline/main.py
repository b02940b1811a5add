"""The program: one command, its errors as one sentence each, its exit code."""

import io
import sys
from collections.abc import Sequence

import click

from pipeline.commands import cli
from pipeline.errors import INTERRUPTED, CommandError
from pipeline.signals import Signalled, listen
from pipeline.terminal.printable import printable


def run() -> int:
    """Run the command that the program's arguments name, and return its exit code."""
    listen()
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


def _by_signal(error: BaseException) -> int | None:
    cause = error.__cause__
    return 128 + cause.number if isinstance(cause, Signalled) else None
