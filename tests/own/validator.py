"""The first stage of the tests' own pipeline: it lets each record through, as the sample's validator does."""

from __future__ import annotations

from core.stage import stage
from record import Record


@stage("accepted", first=True)
def handler(record: Record) -> dict[str, object]:
    """Mark a record as valid."""
    return {"valid": True}
