"""Gives a table's stream what statements of PartiQL change; MiniStack gives it the other writes alone.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pipeline.local.embedded.ministack import ministack

Item = dict[str, Any] | None
_changes: ContextVar[list[tuple[Item, Item]]] = ContextVar("changes")
"""What the current statement changed: each item before and after it."""


def tell_streams() -> None:
    """Wrap MiniStack's own functions; once in a process."""
    dynamodb = ministack("services.dynamodb")
    for write in ("_set_item", "_remove_item"):
        setattr(dynamodb, write, _noting(getattr(dynamodb, write)))
    for statement in ("_partiql_insert", "_partiql_update", "_partiql_delete"):
        setattr(dynamodb, statement, _telling(getattr(dynamodb, statement), dynamodb))


def _noting(write: Callable[..., Item]) -> Callable[..., Item]:
    def noting(table: Any, partition_key: Any, sort_key: Any, item: Item = None) -> Item:
        old = write(table, partition_key, sort_key, *([] if item is None else [item]))
        _changes.get([]).append((old, item))
        return old

    return noting


def _telling(statement: Callable[..., Any], dynamodb: Any) -> Callable[..., Any]:
    def telling(table: dict[str, Any], *rest: Any) -> Any:
        changes: list[tuple[Item, Item]] = []
        token = _changes.set(changes)
        try:
            answer = statement(table, *rest)
        finally:
            _changes.reset(token)
        for old, new in changes:
            kind = "REMOVE" if new is None else "MODIFY" if old else "INSERT"
            dynamodb._emit_stream_event(table["TableName"], kind, old, new)
        return answer

    return telling
