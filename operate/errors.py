"""What an operator has to know when a command can't go on: one sentence, and the exit code that goes with it."""

from __future__ import annotations

LEFT = 1
"""The command went through, and something is left, refused or failed."""
MISUSE = 2
"""The command, its options or its input file can't be used as they are; click's own code too."""
AWS = 3
"""AWS refused, or could not be reached."""
INTERRUPTED = 130
"""Ctrl-C; another signal ends with 128 and its number."""


class OperateError(Exception):
    """The command can't go on; the message is one sentence."""

    exit_code = LEFT


class MisuseError(OperateError):
    """What was asked for can't be done as it was asked."""

    exit_code = MISUSE


class AwsError(OperateError):
    """AWS refused, or could not be reached."""

    exit_code = AWS


class DeniedError(AwsError):
    """The caller lacks a permission."""


class QueueGoneError(AwsError):
    """The dead-letter queue was deleted meanwhile."""


class StoppedError(OperateError):
    """The operator interrupted the command; the message says where it stands."""

    exit_code = INTERRUPTED
