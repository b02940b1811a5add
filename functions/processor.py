"""The processor: the pipeline's last stage, which stores a record exactly once."""

from __future__ import annotations

import store
from record import Enrichment, Record, parse, parse_enrichment, unwrap
from stage import log, stage


@stage
def handler(event: object, context: object) -> dict[str, object]:
    """Store a record, which comes bare or in Lambda's destination envelope.

    Raises:
        InvalidRecord: what is wrong with it, in one sentence.
    """
    body = unwrap(event)
    record = parse(body)
    written = store.put(item(record, parse_enrichment(body)))
    log("record stored" if written else "record already stored", record)
    return {"statusCode": 200, "body": "Success"}


def item(record: Record, enrichment: Enrichment | None) -> store.Item:
    """Return the record as DynamoDB stores it."""
    stored: store.Item = {
        "id": {"S": record.id},
        "timestamp": {"N": str(record.timestamp)},
        "data": {"S": record.text},
    }
    if enrichment:
        stored["enriched"] = {"BOOL": True}
        stored["enrichedAt"] = {"N": str(enrichment.at)}
        stored["version"] = {"S": enrichment.version}
    return stored
