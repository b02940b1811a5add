"""How long Lambda's waiting times last here: a Lambda minute takes a fraction of a real one."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_MINUTE = 0.1
"""Real seconds that a Lambda minute lasts unless told otherwise."""


class Clock(NamedTuple):
    """The scale between Lambda's waiting times and real ones."""

    minute: float = DEFAULT_MINUTE
    """Real seconds that a Lambda minute lasts."""

    def real(self, seconds: float) -> float:
        """Return the real seconds that a wait of so many Lambda seconds lasts."""
        return seconds * self.minute / 60
