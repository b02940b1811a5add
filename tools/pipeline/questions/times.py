"""Times as people write and read them: an age or a date as an option, and the time in UTC as an answer."""

import re
import time
from datetime import UTC, datetime

from pipeline.errors import MisuseError

_AGE = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def since(text: str) -> int:
    """Return a time in ms since the epoch, from an age such as 90m or an ISO date in UTC; else MisuseError."""
    if age := _AGE.fullmatch(text):
        return time.time_ns() // 1_000_000 - int(age[1]) * _SECONDS[age[2]] * 1000
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise MisuseError(f"--since must be an age such as 90m, 12h or 7d, or a date (got '{text}').") from None
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(milliseconds: int) -> str:
    """Return a time, in ms since the epoch, as it is shown; a number that is no time of the calendar as it is."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)
