"""The processor: the pipeline's last stage, which stores each record exactly once."""

from __future__ import annotations

import store
from record import ADDED, ENRICHED, ENRICHMENT, InvalidRecord, Record, boolean, parse, unwrap
from stage import log, logged

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from record import Attribute


@logged
def handler(event: object, context: object) -> dict[str, object]:
    """Store a record or a batch of them, bare or in Lambda's destination envelope.

    Raises:
        InvalidRecord: what is wrong with the record, in one sentence.
    """
    body = unwrap(event)
    if isinstance(body, list):
        from batch import store_all  # noqa: PLC0415 - single events pay nothing for it

        store_all(event, body, context, item=item)
    else:
        record = parse(body, added=True)
        written = store.put(item(record))
        log("record stored" if written else "record already stored", record, context)
    return {"statusCode": 200, "body": "Success"}


def item(record: Record) -> dict[str, Attribute]:
    """Return a record as DynamoDB stores it.

    Raises:
        InvalidRecord: what is wrong with a field that a stage added.
    """
    enriched = record.fields.get("enriched", False)
    boolean(ENRICHED, enriched)
    missing = [name for name in ENRICHMENT if name not in record.fields]
    if enriched and missing:
        raise InvalidRecord(f"missing {missing[0]} field in an enriched record")
    left_out = () if enriched else ENRICHMENT
    added = [field for field in ADDED if field.name in record.fields and field.name not in left_out]
    return {**record.own, **{field.name: field.kind(field, record.fields[field.name]) for field in added}}
