"""The data table's items as JSON text, exactly: `data` is stored as JSON text, and DynamoDB's numbers are text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB has it."""
DATA = "data"
"""The attribute that holds JSON."""
OF_STAGES = ("enriched", "enrichedAt", "version")
"""The attributes that stages add: no producer may send them."""


def items_of(client: Any, table: str, record_id: str) -> Iterator[Item]:
    """Yield the items of an id, by their timestamps."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#id = :id",
        ExpressionAttributeNames={"#id": "id"},
        ExpressionAttributeValues={":id": {"S": record_id}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


def all_items(client: Any, table: str, page: int) -> Iterator[Item]:
    """Yield the items of a table, so many a request."""
    for found in client.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": page}):
        yield from found["Items"]


def texts(item: Item) -> dict[str, str]:
    """Return an item's values as texts, by their names: strings as they are, everything else as JSON."""
    return {name: value["S"] if "S" in value else _value(name, value) for name, value in item.items()}


def as_json(item: Item, *, without: tuple[str, ...] = ()) -> str:
    """Return an item as the text of a JSON object, first what its producer sent."""
    names = sorted(
        item.keys() - set(without),
        key=lambda name: (
            (["id", "timestamp", DATA].index(name), "") if name in ("id", "timestamp", DATA) else (3, name)
        ),
    )
    return "{" + ", ".join(f"{json.dumps(name)}: {_value(name, item[name])}" for name in names) + "}"


def _value(name: str, attribute: Mapping[str, Any]) -> str:
    ((kind, value),) = attribute.items()
    if name == DATA and kind == "S":
        return str(value)
    return _text(kind, value)


def _text(kind: str, value: Any) -> str:
    match kind:
        case "N":
            return str(value)
        case "NULL":
            return "null"
        case "M":
            return (
                "{"
                + ", ".join(f"{json.dumps(name)}: {_text(*one)}" for name, of in value.items() for one in of.items())
                + "}"
            )
        case "L":
            return "[" + ", ".join(_text(*one) for of in value for one in of.items()) + "]"
        case "NS":
            return f"[{', '.join(value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)
