"""Answers that stay good for a moment: settings are eventually consistent in AWS too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

LIFETIME = 0.5
"""Seconds."""


@dataclass
class Recent(Generic[Key, Value]):
    """Answers by key, forgotten after a moment."""

    _answers: dict[Key, tuple[Value, float]] = field(default_factory=dict)

    async def get(self, key: Key, ask: Callable[[], Awaitable[Value]]) -> Value:
        """Return the answer to `key`, asking only if there is no recent one."""
        known = self._answers.get(key)
        if known is not None and known[1] > monotonic():
            return known[0]
        value = await ask()
        self._answers[key] = value, monotonic() + LIFETIME
        return value

    def forget(self) -> None:
        """Forget every answer."""
        self._answers.clear()
