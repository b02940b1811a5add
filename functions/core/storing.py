"""A stage that stores: its function returns the item, and this module does everything else."""

from __future__ import annotations

from functools import wraps

from record import parse

from .stage import log, logged
from .store import put

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from collections.abc import Callable

    from record import Record

    from .stage import Handler
    from .store import Item


def stores(item: Callable[[Record], Item]) -> Handler:
    """Make a handler of a function that takes a record and returns the item to store.

    The handler stores a record or a batch of them, bare or in Lambda's destination envelope. It stores nothing if the
    function raises `InvalidRecord`.
    """

    def handle(event: object, body: object, context: object) -> dict[str, object]:
        if isinstance(body, list):
            from .batch import store_all  # noqa: PLC0415 - single events pay nothing for it

            store_all(event, body, context, item=item)
        else:
            record = parse(body, added=True)
            written = put(item(record))
            log("record stored" if written else "record already stored", record, context)
        return {"statusCode": 200, "body": "Success"}

    return wraps(item)(logged(handle))
