"""What a run left: the items of the table and the letters of the dead-letter queue, read page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.stack import SYSTEM_ATTRIBUTES, Attribution, DeadLetter, Stack, attribute

from .matching import Document, Documents, canonical


class Failure(NamedTuple):
    """A dead letter, with the stage that failed and the documents that were submitted."""

    stage: str
    letter: DeadLetter
    origins: tuple[str, ...]
    """The submitted documents whose records failed, in canonical JSON: several where a whole batch did."""


class Item(NamedTuple):
    """A stored item, as far as it tells which line it came of."""

    id: str
    timestamp: int
    data: str
    """In canonical JSON."""
    enriched_by: str | None
    """The enricher's version; None on an item that was never enriched."""
    fields: Mapping[str, Any] = {}
    """All of it, as JSON has it."""


def read_items(client: Any, table: str) -> Iterator[Item]:
    """Read the whole table."""
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from map(_item, page["Items"])


def take_failures(client: Any, stack: Stack) -> Iterator[Failure]:
    """Take every message out of the dead-letter queue, and find the stages that failed."""
    return (_failure(letter, stack) for letter in _take(client, stack.queue_url))


def _take(client: Any, queue: str) -> Iterator[DeadLetter]:
    while messages := client.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=list(SYSTEM_ATTRIBUTES),
    ).get("Messages"):
        yield from map(DeadLetter.of_message, messages)
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        client.delete_message_batch(QueueUrl=queue, Entries=entries)


def _failure(letter: DeadLetter, stack: Stack) -> Failure:
    found = attribute(letter, stack)
    return Failure(found.stage or "unknown", letter, _origins(letter, found))


def _origins(letter: DeadLetter, found: Attribution) -> tuple[str, ...]:
    """Find which of the submitted documents a letter is of."""
    submitted = list(found.given.values())[-1] if found.given else letter.event
    if not isinstance(submitted, list) or not submitted:
        return (canonical(submitted),)
    documents = [Document.of(one) for one in submitted]
    if len(found.given) <= 1:
        return tuple(document.text for document in documents)
    records = found.record if isinstance(found.record, list) else [found.record]
    return tuple(origin for record in records for origin in _origins_in(Documents(documents), Document.of(record)))


def _origins_in(batch: Documents, record: Document) -> Iterator[str]:
    """Find which documents of a batch a record can be of that a later stage was given: those of its key, at worst."""
    same, others = batch.match(record)
    yield from (document.text for document in same or others)


def _item(item: dict[str, Any]) -> Item:
    names = dict.fromkeys(("id", "timestamp", "data", *sorted(item)))
    fields = {name: _plain(item[name]) for name in names}
    fields["data"] = json.loads(fields["data"])
    enriched_by = fields.get("version") if fields.get("enriched") else None
    return Item(fields["id"], fields["timestamp"], canonical(fields["data"]), enriched_by, fields)


def _plain(attribute: Mapping[str, Any]) -> Any:
    """Return an attribute's value as JSON has it."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return json.loads(value)
    if kind == "M":
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if kind == "L" else None if kind == "NULL" else value
