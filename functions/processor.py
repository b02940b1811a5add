"""The processor: the pipeline's last stage, which stores each record exactly once."""

from __future__ import annotations

import store
from record import parse, unwrap
from stage import log, logged


@logged
def handler(event: object, context: object) -> dict[str, object]:
    """Store a record or a batch of them, bare or in Lambda's destination envelope.

    Raises:
        InvalidRecord: what is wrong with the record, in one sentence.
    """
    body = unwrap(event)
    if isinstance(body, list):
        from batch import store_all  # noqa: PLC0415 - single events pay nothing for it

        store_all(event, body, context)
    else:
        record = parse(body, added=True)
        written = store.put(store.item(record))
        log("record stored" if written else "record already stored", record)
    return {"statusCode": 200, "body": "Success"}
