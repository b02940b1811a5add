"""Many writes at once: 25 conditional inserts in a request.

A failed insert means that the key exists ("Running batch operations with PartiQL for DynamoDB"). The conditional put of
`store` then decides: copy, completion or conflict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .aws import AFTER_FAULT, AFTER_THROTTLING, ServiceError
from .bulk import check_time, send_all
from .store import ConflictingRecord, client, put, table_name

if TYPE_CHECKING:
    from .store import Item

STATEMENTS = 25  # a request
# DynamoDB takes 16 MB in a request, and 4 MB in a transaction. JSON's escapes make a text at most three times as long.
REQUEST_BYTES = 4_000_000 // 3

_TAKEN = "DuplicateItem"
# What can go better when it is sent again (BatchStatementError).
_BACKOFF = {
    "InternalServerError": AFTER_FAULT,
    "ProvisionedThroughputExceeded": AFTER_THROTTLING,
    "RequestLimitExceeded": AFTER_THROTTLING,
    "ThrottlingError": AFTER_THROTTLING,
    "TransactionConflict": AFTER_FAULT,
}


class _Insert(NamedTuple):
    place: int
    item: Item
    size: int


def put_all(items: Sequence[Item], deadline: float) -> list[bool | ConflictingRecord]:
    """Write items, each exactly once. Return for each whether it was written, or that another item has its key.

    Two items of one key never share a request, which DynamoDB may refuse: the second is put after the first.

    Raises:
        ServiceError: an item could not be written, also not after the retries, or the deadline has passed.
        ConfigurationError: the environment lacks what a request needs.
    """
    outcomes: list[bool | ConflictingRecord] = [True] * len(items)
    keys: set[tuple[str, str]] = set()
    inserts, taken = [], []
    for place, item in enumerate(items):
        key = item["id"]["S"], item["timestamp"]["N"]
        if key in keys:
            taken.append(place)
        else:
            inserts.append(_Insert(place, item, _size(item)))
        keys.add(key)

    def send(part: list[_Insert]) -> Iterator[tuple[_Insert, ServiceError]]:
        for insert, error in _execute(part):
            if error.code == _TAKEN:
                taken.append(insert.place)
            else:
                yield insert, error

    send_all(inserts, send, at_most=STATEMENTS, bytes_at_most=REQUEST_BYTES, deadline=deadline)
    for place in sorted(taken):
        check_time(deadline)
        outcomes[place] = _put(items[place])
    return outcomes


def _execute(part: list[_Insert]) -> Iterator[tuple[_Insert, ServiceError]]:
    """Send one request; return what failed of it."""
    statements = [_statement(insert.item) for insert in part]
    answer = client().call("BatchExecuteStatement", {"Statements": statements})
    for insert, response in zip(part, answer["Responses"], strict=True):
        if error := response.get("Error"):
            code = error["Code"]
            yield insert, ServiceError(code, error.get("Message", "no message"), backoff=_BACKOFF.get(code))


def _statement(item: Item) -> dict[str, object]:
    values = ", ".join(f"'{name}': ?" for name in item)
    return {"Statement": f'INSERT INTO "{table_name()}" VALUE {{{values}}}', "Parameters": list(item.values())}


def _put(item: Item) -> bool | ConflictingRecord:
    try:
        return put(item)
    except ConflictingRecord as conflict:
        return conflict


def _size(item: Item) -> int:
    """Return the bytes of an item's values in UTF-8."""
    return sum(len(str(value).encode()) for attribute in item.values() for value in attribute.values())
