"""Errors that end a command: each has one sentence for the operator, and an exit code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

LEFT = 1  # the command went through, and something is left, refused or failed
MISUSE = 2  # the command, its options or its input file can't be used as they are; click's own code too
AWS = 3  # AWS refused, or could not be reached
INTERRUPTED = 130  # Ctrl-C; another signal ends with 128 and its number

EXIT_CODES = """\b
Exit codes:
  0    all is done
  1    something is left, was refused or failed; the output says what
  2    the command can't be run as it was given
  3    AWS refused, or can't be reached
  130  interrupted by Ctrl-C; 128 + n by signal n
"""


class CommandError(Exception):
    """The command can't go on; the message is one sentence."""

    exit_code = LEFT


class MisuseError(CommandError):
    """The command can't be run as it was given."""

    exit_code = MISUSE


class AwsError(CommandError):
    """AWS refused, or could not be reached."""

    exit_code = AWS


class DeniedError(AwsError):
    """The caller lacks a permission."""


class QueueGoneError(AwsError):
    """The dead-letter queue was deleted meanwhile."""


class StoppedError(CommandError):
    """The operator interrupted the command; the message says where it stands."""

    exit_code = INTERRUPTED


@contextmanager
def standing(tell: Callable[[], str]) -> Iterator[None]:
    """Let what stops a command say where it stands."""
    try:
        yield
    except CommandError as error:
        stands = tell()
        raise type(error)(f"{error} {stands[:1].upper()}{stands[1:]}.") from error
    except KeyboardInterrupt as error:
        raise StoppedError(f"Interrupted: {tell()}.") from error
