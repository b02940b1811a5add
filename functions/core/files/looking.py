"""The items that are stored under the keys of records, a hundred in a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from record import Record

from ..aws import AFTER_THROTTLING, ATTEMPTS, ServiceError, jitter
from ..store import client, table_name

KEYS = 100  # of a request (BatchGetItem)
BYTES = 1024 * 1024  # of the records whose items are asked for at once; the items have about as many

Key = tuple[str, str]
Item = dict[str, Any]


class Looker:
    """Looks for records in the table, many at once, and reports what it found."""

    def __init__(self, tell: Callable[[bytes, Record, Item | None], None]) -> None:
        """Tell the content, the record and the item that is stored under its key, if there is one."""
        self._tell = tell
        self._sought: list[tuple[bytes, Record]] = []
        self._size = 0

    def add(self, content: bytes, record: Record) -> None:
        """Look for a record with the others."""
        self._sought.append((content, record))
        self._size += len(content)
        if len(self._sought) == KEYS or self._size > BYTES:
            self.flush()

    def flush(self) -> None:
        """Look for those that are left."""
        found = items({_key(record.own): None for _, record in self._sought})
        for content, record in self._sought:
            self._tell(content, record, found.get(_key(record.own)))
        self._sought, self._size = [], 0


def items(keys: dict[Key, None]) -> dict[Key, Item]:
    """Return the items that are stored under keys, read eventually consistent.

    Raises:
        ServiceError: DynamoDB refused, or left keys out again and again.
    """
    found: dict[Key, Item] = {}
    left = [{"id": {"S": record_id}, "timestamp": {"N": timestamp}} for record_id, timestamp in keys]
    attempt = 0
    while left:
        answer = client().call("BatchGetItem", {"RequestItems": {table_name(): {"Keys": left}}})
        answered = answer["Responses"].get(table_name(), [])
        found.update({_key(item): item for item in answered})
        left = answer.get("UnprocessedKeys", {}).get(table_name(), {}).get("Keys", [])
        attempt = 0 if answered else attempt + 1
        if left and attempt == ATTEMPTS:
            raise ServiceError(
                "ProvisionedThroughputExceededException",
                "DynamoDB left out all keys of a request",
                backoff=AFTER_THROTTLING,
            )
        if left and attempt:
            time.sleep(jitter(AFTER_THROTTLING * 2**attempt))
    return found


def _key(item: Item) -> Key:
    return item["id"]["S"], item["timestamp"]["N"]
