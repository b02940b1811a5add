"""What is set of a function, as far as its events depend on it."""

from __future__ import annotations

from typing import NamedTuple


class EventInvokeConfig(NamedTuple):
    """A qualifier's settings for asynchronous invocation; Lambda's defaults where there are none."""

    maximum_retries: int = 2
    maximum_age: float = 21600
    """Lambda seconds."""
    on_success: str | None = None
    on_failure: str | None = None
    """The ARNs of the destinations."""


class VersionConfig(NamedTuple):
    """What a delivery needs to know of the version that ran."""

    version: str
    role: str
    dead_letter_target: str | None


class Known(NamedTuple):
    """What was known of the function when an event was accepted; it counts when the function is gone since."""

    config: EventInvokeConfig = EventInvokeConfig()
    version: VersionConfig | None = None
