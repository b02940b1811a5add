"""The second stage of the tests' own pipeline: it marks a record, as the sample's enricher does."""

from __future__ import annotations

from core.stage import stage
from record import Record, now

VERSION = "1.0"


@stage("enriched")
def handler(record: Record) -> dict[str, object]:
    """Add the enrichment to a record."""
    return {"enriched": True, "enrichedAt": now(), "version": VERSION}
