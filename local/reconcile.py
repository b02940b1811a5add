"""Settling a run: what became of each submitted line, judged by the table and the dead-letter queue alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, NamedTuple

from local.deploy import Stack
from local.submit import Submission


class Fate(Enum):
    """What became of a line."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"
    LOST = "lost"


class DeadLetter(NamedTuple):
    """A message of the dead-letter queue, with the document that was submitted at the chain's beginning."""

    stage: str
    reason: str
    error_code: str
    request_id: str
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


class Settled(NamedTuple):
    """A line and what became of it."""

    submission: Submission
    fate: Fate
    letters: Sequence[DeadLetter] = ()
    items: Sequence[Item] = ()

    @property
    def id(self) -> str | None:
        """The record's id, where it has one."""
        document = _document(self.submission.line.content)
        found = document.get("id") if isinstance(document, dict) else None
        return found if isinstance(found, str) else None


def settle(submissions: Iterable[Submission], items: Iterable[Item], letters: Iterable[DeadLetter]) -> list[Settled]:
    """Find each line's item or dead letter; a line that has both counts as stored."""
    items_of, letters_of = defaultdict(list), defaultdict(list)
    for item in items:
        items_of[item.id].append(item)
    for letter in letters:
        letters_of[letter.origin].append(letter)
    return [_settle(submission, items_of, letters_of) for submission in submissions]


def _settle(
    submission: Submission, items_of: dict[str, list[Item]], letters_of: dict[str, list[DeadLetter]]
) -> Settled:
    if submission.request_id is None:
        return Settled(submission, Fate.REFUSED)
    document = _document(submission.line.content)
    letters = letters_of.get(canonical(document), [])
    items = [item for item in items_of.get(_id(document), []) if _is_of(item, document)]
    fate = Fate.STORED if items else Fate.DEAD if letters else Fate.LOST
    return Settled(submission, fate, letters, items)


def read_items(client: Any, table: str) -> list[Item]:
    """Read the whole table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [_item(item) for page in pages for item in page["Items"]]


def read_dead_letters(client: Any, stack: Stack) -> list[DeadLetter]:
    """Take every message out of the dead-letter queue."""
    letters = []
    while messages := client.receive_message(
        QueueUrl=stack.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        letters += [dead_letter(message, stack) for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        client.delete_message_batch(QueueUrl=stack.dead_letter_queue_url, Entries=entries)
    return letters


def dead_letter(message: dict[str, Any], stack: Stack) -> DeadLetter:
    """Read a message as Lambda writes it: the event's envelopes tell which stage failed, and what was submitted."""
    attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    stages, functions = list(stack.functions), list(stack.functions.values())
    document = _document(message["Body"].encode())
    stage = 0
    while (before := _sender(document)) in functions:
        stage = max(stage, functions.index(before) + 1)
        document = document["requestPayload"]
    return DeadLetter(
        stage=stages[stage] if stage < len(stages) else "unknown",
        reason=attributes.get("ErrorMessage", ""),
        error_code=attributes.get("ErrorCode", ""),
        request_id=attributes.get("RequestID", ""),
        origin=canonical(document),
    )


def canonical(document: Any) -> str:
    """Write a document so that equal ones are equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _sender(document: Any) -> str | None:
    """Return the function whose invocation record this is."""
    context = document.get("requestContext") if isinstance(document, dict) and "requestPayload" in document else None
    return context.get("functionArn") if isinstance(context, dict) else None


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
