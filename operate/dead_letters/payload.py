"""What is sent when a dead letter is sent again: its event, in the form that the stage takes."""

from __future__ import annotations

import json
from typing import Any

from operate.dead_letters.letter import Letter, chain, is_envelope
from operate.stack import ENTRY
from operate.timestamps import lacks_timestamp, stamped


def payload(letter: Letter, stage: str) -> bytes:
    """Return the event for a stage.

    Every stage but the entry takes Lambda's envelope as it is. The entry takes bare records only, so it gets what was
    submitted.

    A record without a timestamp would be stored again each time that it is sent. It gets the timestamp that the
    pipeline gave it or, where it never got so far, the time of its letter, which is the same however often it is sent.
    """
    event = letter.event
    if not is_envelope(event):
        return _with_timestamp(letter.body, event, letter.sent).encode()
    if stage != ENTRY:
        return letter.body.encode()
    *_, origin = chain(event)
    return _with_timestamp(json.dumps(origin), origin, _given(event) or letter.sent).encode()


def _with_timestamp(text: str, event: Any, timestamp: int) -> str:
    return stamped(text, timestamp) if lacks_timestamp(event) else text


def _given(event: Any) -> int | None:
    """Return the timestamp of the record that the failing stage was given."""
    record = event.get("responsePayload")
    timestamp = record.get("timestamp") if isinstance(record, dict) else None
    return timestamp if isinstance(timestamp, int) and not isinstance(timestamp, bool) else None
