"""What became of each submitted line, judged by the table and the dead-letter queue alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from deployed import SYSTEM_ATTRIBUTES, Attribution, DeadLetter, Stack, attribute

from .matching import Document, Documents, canonical
from .submit import Submission


class Fate(Enum):
    """What became of a line."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"
    LOST = "lost"


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


class Outcome(NamedTuple):
    """A line and what became of it."""

    submission: Submission
    fate: Fate
    failures: Sequence[Failure] = ()
    items: Sequence[Item] = ()
    changed: bool = False
    """Whether an item has other data than the line, because a stage changed it."""

    @property
    def id(self) -> str | None:
        """The record's id, where it has one."""
        documents = _documents(self.submission.line.content)
        return documents[0].id or None if len(documents) == 1 else None


def reconcile(submissions: Sequence[Submission], items: Iterable[Item], failures: Iterable[Failure]) -> list[Outcome]:
    """Find each line's items or dead letters; a line that has both counts as stored."""
    documents = [_documents(submission.line.content) for submission in submissions]
    failures_of: defaultdict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        for origin in failure.origins:
            failures_of[origin].append(failure)
    items_of = _owned(items, Documents(one for of_line in documents for one in of_line), failures_of)
    return [
        _outcome(submission, of_line, items_of, failures_of)
        for submission, of_line in zip(submissions, documents, strict=True)
    ]


def _owned(items: Iterable[Item], documents: Documents, failed: Container[str]) -> Mapping[str, Sequence[Item]]:
    """Find the document that became each item; by its data, or else the first of its key that has no fate yet."""
    owned: defaultdict[str, list[Item]] = defaultdict(list)
    changed = []
    for item in sorted(items, key=lambda item: item.timestamp):
        found = documents.match(Document("", item.id, str(item.timestamp), item.data))
        for document in found.same:
            owned[document.text].append(item)
        if found.others and not found.same:
            changed.append((item, found.others))
    for item, candidates in changed:
        owner = min(candidates, key=lambda document: (document.text in owned, document.text in failed))
        owned[owner.text].append(item)
    return owned


def _outcome(
    submission: Submission,
    documents: Sequence[Document],
    items_of: Mapping[str, Sequence[Item]],
    failures_of: Mapping[str, Sequence[Failure]],
) -> Outcome:
    """Judge a line; one that is a batch has the worst of its records' fates."""
    if submission.request_id is None:
        return Outcome(submission, Fate.REFUSED)
    failures = [failure for document in documents for failure in failures_of.get(document.text, ())]
    items = [(document, item) for document in documents for item in items_of.get(document.text, ())]
    fates = {
        Fate.STORED if one.text in items_of else Fate.DEAD if one.text in failures_of else Fate.LOST
        for one in documents
    }
    fate = next(fate for fate in (Fate.LOST, Fate.DEAD, Fate.STORED) if fate in fates)
    changed = any(document.data != item.data for document, item in items)
    return Outcome(submission, fate, failures, [item for _, item in items], changed)


def read_items(client: Any, table: str) -> list[Item]:
    """Read the whole table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [_item(item) for page in pages for item in page["Items"]]


def take_failures(client: Any, stack: Stack) -> list[Failure]:
    """Take every message out of the dead-letter queue, and find the stages that failed."""
    return [_failure(letter, stack) for letter in _take(client, stack.queue_url)]


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


def _documents(content: bytes) -> Sequence[Document]:
    """Read the records of a line: one, or those of a batch; what can't be read matches nothing."""
    try:
        document = json.loads(content)
        return [Document.of(one) for one in (isinstance(document, list) and document) or [document]]
    except (ValueError, RecursionError):
        return [Document("", "", "", "")]
