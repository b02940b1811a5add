"""What can go wrong with the embedded AWS that its user has to know, as one sentence."""

from __future__ import annotations


class LocalError(Exception):
    """The command can't go on; the message says why."""
