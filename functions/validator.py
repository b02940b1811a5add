"""The validator: the pipeline's first stage, which lets valid records through and stamps those without a timestamp."""

from __future__ import annotations

from record import parse
from stage import check_deliverable, log, stage


@stage
def handler(event: object, context: object) -> dict[str, object]:
    """Validate a bare record.

    Raises:
        InvalidRecord: what is wrong with it, in one sentence.
    """
    record = parse(event)
    result = {"valid": True, "id": record.id, "timestamp": record.timestamp, "data": record.data}
    check_deliverable(event, result)
    log("record accepted", record)
    return result
