"""The processor: the pipeline's last stage, which stores each record exactly once."""

from __future__ import annotations

from core.storing import stores
from record import ADDED, ENRICHED, ENRICHMENT, Attribute, InvalidRecord, Record, boolean


@stores
def handler(record: Record) -> dict[str, Attribute]:
    """Return the item to store: what the producer sent and what stages added, with the whole enrichment or none."""
    enriched = record.fields.get("enriched", False)
    boolean(ENRICHED, enriched)
    missing = [name for name in ENRICHMENT if name not in record.fields]
    if enriched and missing:
        raise InvalidRecord(f"missing {missing[0]} field in an enriched record")
    left_out = () if enriched else ENRICHMENT
    added = [field for field in ADDED if field.name in record.fields and field.name not in left_out]
    return {**record.own, **{field.name: field.kind(field, record.fields[field.name]) for field in added}}
