"""The data table: one conditional write that never overwrites other data."""

from __future__ import annotations

import gc
import os
from functools import cache

from record import FIELDS, InvalidRecord, json_value

from .data import canonical_text

# Freeze what is loaded, so that the collector never rescans it. That saves a twentieth of the cold start.
gc.disable()
try:
    from .aws import Client, ConfigurationError, ServiceError, from_environment
finally:
    gc.enable()

TYPE_CHECKING = False  # the name that type checkers know, without the import
if TYPE_CHECKING:
    from typing import Any

    Item = dict[str, dict[str, Any]]

__all__ = ["ConfigurationError", "ConflictingRecord", "ServiceError", "client", "put", "table_name"]

# Two records of one key are the same if all of these are: what their producer sent.
_COMPARED = [field.name for field in FIELDS if field.name not in ("id", "timestamp")]
_JSON = {field.name for field in FIELDS if field.kind is json_value}


class ConflictingRecord(InvalidRecord):
    """Another record is stored under the same id and timestamp."""

    def __init__(self) -> None:
        super().__init__("another record with the same id and timestamp is stored")


def put(item: Item) -> bool:
    """Write an item, unless it is stored already; return whether it was written.

    A copy that is not enriched never replaces an enriched item; an enriched copy completes an item that is not. If the
    answer to a write was lost, the write is sent again, finds its own item, and succeeds.

    Raises:
        ConflictingRecord: another record is stored under the same key, and stays.
        ServiceError: DynamoDB refused, or still failed after the retries; Lambda invokes again.
        ConfigurationError: the environment lacks what a request needs.
    """
    same = " AND ".join(
        f"#{name} = :{name}" if name in item else f"attribute_not_exists(#{name})" for name in _COMPARED
    )
    request = {
        "TableName": table_name(),
        "Item": item,
        "ConditionExpression": f"attribute_not_exists(id) OR ({same} AND attribute_not_exists(enriched))",
        "ExpressionAttributeNames": {f"#{name}": name for name in _COMPARED},  # names may be reserved words
        "ExpressionAttributeValues": {f":{name}": item[name] for name in _COMPARED if name in item},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        client().call("PutItem", request)
    except ServiceError as error:
        if error.code != "ConditionalCheckFailedException":
            raise
        stored = error.details.get("Item", {})
    else:
        return True
    if not is_same(stored, item):
        raise ConflictingRecord
    return False


def is_same(stored: Item, item: Item) -> bool:
    """Tell whether a stored item holds what the producer of another one sent."""
    return all(_canonical(name, stored.get(name)) == item.get(name) for name in _COMPARED)


def _canonical(name: str, attribute: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored attribute as it would be stored now: earlier versions wrote 1.0 and 1 as they came."""
    if name in _JSON and attribute:
        return {"S": canonical_text(attribute["S"])}
    return attribute


@cache
def client() -> Client:
    """Return the client, which is made once."""
    return from_environment("dynamodb")


def table_name() -> str:
    """Return the name of the data table."""
    name = os.environ.get("TABLE_NAME")
    if not name:
        raise ConfigurationError("TABLE_NAME must be set to the name of the data table")
    return name


# In init, so that a provisioned instance's first caller waits for neither connection nor trust; elsewhere an import
# needs no region.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    client().connect()
    gc.freeze()  # nothing of all this is garbage; without it the slowest calls would be those that look again
