"""The validator: the pipeline's first stage, which lets valid records through and stamps those without a timestamp."""

from __future__ import annotations

from core.stage import stage
from record import Record


@stage("accepted", first=True)
def handler(record: Record) -> dict[str, object]:
    """Mark a record as valid.

    `valid` is part of the validator's answer alone. No stage after it hands it on, since `ADDED` does not declare it.
    """
    return {"valid": True}
