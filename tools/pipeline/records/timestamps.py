"""Timestamps for records that have none, set where they make a second delivery harmless."""

import re
from typing import Any

_OPENING = re.compile(r"\s*\{\s*")


def lacks_timestamp(event: Any) -> bool:
    """Return whether an event is an object without a timestamp."""
    return isinstance(event, dict) and "timestamp" not in event


def stamped(text: str, timestamp: int) -> str:
    """Write a timestamp, in ms since the epoch, into the text of a JSON object, and leave the rest as it is."""
    opening = _OPENING.match(text)
    if opening is None:
        raise ValueError(f"only a JSON object can be stamped (got {text[:20]!r})")
    rest = text[opening.end() :]
    comma = "" if rest.startswith("}") else ", "
    return f'{opening[0]}"timestamp": {timestamp}{comma}{rest}'
