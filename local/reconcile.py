"""What became of each submitted line, judged by the table and the dead-letter queue alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from deployed import DeadLetter, Stack, attribute
from deployed.dead_letter import SYSTEM_ATTRIBUTES

from .submit import Submission


class Fate(Enum):
    """What became of a line."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"
    LOST = "lost"


class Failure(NamedTuple):
    """A dead letter, with the stage that failed and the document that was submitted."""

    stage: str
    letter: DeadLetter
    origin: str
    """The submitted document in canonical JSON."""


class Item(NamedTuple):
    """A stored item, as far as it tells which line it came of."""

    id: str
    timestamp: int
    data: str
    """In canonical JSON."""
    enriched_by: str | None
    """The enricher's version; None on an item that was never enriched."""


class Outcome(NamedTuple):
    """A line and what became of it."""

    submission: Submission
    fate: Fate
    failures: Sequence[Failure] = ()
    items: Sequence[Item] = ()

    @property
    def id(self) -> str | None:
        """The record's id, where it has one."""
        document = _document(self.submission.line.content)
        found = document.get("id") if isinstance(document, dict) else None
        return found if isinstance(found, str) else None


def reconcile(submissions: Iterable[Submission], items: Iterable[Item], failures: Iterable[Failure]) -> list[Outcome]:
    """Find each line's items or dead letters; a line that has both counts as stored."""
    items_of, failures_of = defaultdict(list), defaultdict(list)
    for item in items:
        items_of[item.id].append(item)
    for failure in failures:
        failures_of[failure.origin].append(failure)
    return [_outcome(submission, items_of, failures_of) for submission in submissions]


def _outcome(
    submission: Submission, items_of: Mapping[str, list[Item]], failures_of: Mapping[str, list[Failure]]
) -> Outcome:
    if submission.request_id is None:
        return Outcome(submission, Fate.REFUSED)
    document = _document(submission.line.content)
    failures = failures_of.get(canonical(document), [])
    items = [item for item in items_of.get(_id(document), []) if _is_of(item, document)]
    fate = Fate.STORED if items else Fate.DEAD if failures else Fate.LOST
    return Outcome(submission, fate, failures, items)


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
    origin = list(found.given.values())[-1] if found.given else letter.event
    return Failure(found.stage or "unknown", letter, canonical(origin))


def canonical(document: Any) -> str:
    """Write a document so that equal ones are equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _item(item: dict[str, Any]) -> Item:
    data = canonical(json.loads(item["data"]["S"]))
    enriched_by = item["version"]["S"] if item.get("enriched", {}).get("BOOL") else None
    return Item(item["id"]["S"], int(item["timestamp"]["N"]), data, enriched_by)


def _is_of(item: Item, document: Any) -> bool:
    same_time = document.get("timestamp") in (None, item.timestamp)
    return same_time and canonical(document.get("data")) == item.data


def _id(document: Any) -> str:
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
