"""JSON documents as far as they tell which record they are of, and which of a batch became a record of a later stage.

A stage may change `data`, and the validator stamps a record that has no timestamp. So the key decides; data does where
several documents have the key.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Document(NamedTuple):
    """A JSON document, as far as it tells which record it is of."""

    text: str
    """All of it, in canonical JSON."""
    id: str
    """Empty where it has none."""
    timestamp: str
    """In JSON; empty where it has none."""
    data: str
    """In canonical JSON."""

    @classmethod
    def of(cls, value: Any) -> Document:
        """Read any JSON value."""
        fields = value if isinstance(value, dict) else {}
        found, timestamp = fields.get("id"), canonical(fields["timestamp"]) if "timestamp" in fields else ""
        return cls(canonical(value), found if isinstance(found, str) else "", timestamp, canonical(fields.get("data")))


class Matches(NamedTuple):
    """The documents of a batch that a record can have come of."""

    same: Sequence[Document]
    """Those of its key and its data."""
    others: Sequence[Document]
    """All of its key."""


class Documents:
    """The documents of a batch, to be found by what came of them."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._of_key: defaultdict[tuple[str, ...], list[Document]] = defaultdict(list)
        self._of_data: defaultdict[tuple[str, ...], list[Document]] = defaultdict(list)
        for document in dict.fromkeys(documents):
            if document.id:
                self._of_key[document.id, document.timestamp].append(document)
                self._of_data[document.id, document.timestamp, document.data].append(document)

    def match(self, record: Document) -> Matches:
        """Find the documents by what their record is now; one without a timestamp can have got any."""
        times = dict.fromkeys((record.timestamp, ""))
        return Matches(
            [one for time in times for one in self._of_data.get((record.id, time, record.data), ())],
            [one for time in times for one in self._of_key.get((record.id, time), ())],
        )


def canonical(value: Any) -> str:
    """Write a document so that equal ones are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
