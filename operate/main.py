"""The program: one command, its errors as one sentence each, its exit code."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from deployed.printable import printable
from operate.commands import cli
from operate.errors import INTERRUPTED, OperateError


class Signalled(KeyboardInterrupt):
    """A signal that ends the program as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        code = cli(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OperateError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        return _by_signal(error) or error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        return _by_signal(error) or INTERRUPTED
    return code if isinstance(code, int) else 0


def end_by_signals() -> None:
    """Let the signals that ask a process to end be treated like Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise Signalled(number)


def _by_signal(error: BaseException) -> int | None:
    behind = error.__cause__
    if isinstance(behind, RuntimeError):  # of a lock that was being taken
        behind = behind.__context__
    return 128 + behind.number if isinstance(behind, Signalled) else None
