"""The enricher: the pipeline's second stage, which marks a record as enriched, when and by which version."""

from __future__ import annotations

from record import now, parse, unwrap
from stage import check_deliverable, log, stage

VERSION = "1.0"


@stage
def handler(event: object, context: object) -> dict[str, object]:
    """Enrich a record, which comes bare or in Lambda's destination envelope.

    Raises:
        InvalidRecord: what is wrong with it, in one sentence.
    """
    record = parse(unwrap(event))
    added = {"enriched": True, "enrichedAt": now(), "version": VERSION}
    result = {"id": record.id, "timestamp": record.timestamp, "data": record.data, **added}
    check_deliverable(event, result)
    log("record enriched", record)
    return result
