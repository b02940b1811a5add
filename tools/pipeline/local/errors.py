"""Errors of the embedded AWS, each with one sentence for its user."""

from pipeline.errors import CommandError


class LocalError(CommandError):
    """The embedded AWS can't go on; the message says why."""
