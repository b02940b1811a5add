"""The validator: the pipeline's first stage, which lets valid records through and stamps those without a timestamp."""

from __future__ import annotations

from core.stage import stage
from record import Record


@stage("accepted", first=True)
def handler(record: Record) -> dict[str, object]:
    """Mark a record as valid.

    Only the validator's answer holds `valid`. No later stage hands it on, because `ADDED` does not declare it.
    """
    return {"valid": True}
