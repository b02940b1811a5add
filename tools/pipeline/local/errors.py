"""What can go wrong with the embedded AWS that its user has to know, as one sentence."""

from __future__ import annotations

from pipeline.errors import CommandError


class LocalError(CommandError):
    """The embedded AWS can't go on; the message says why."""
