"""The data table: one conditional write that never overwrites other data."""

from __future__ import annotations

import gc
import os
from functools import cache
from typing import Any

from record import InvalidRecord

# What is imported stays, and looking through it for garbage again and again is a twentieth of the cold start.
gc.disable()
try:
    from aws import Client, ConfigurationError, ServiceError, from_environment
finally:
    gc.enable()

__all__ = ["ConfigurationError", "ConflictingRecord", "Item", "ServiceError", "client", "put"]

Item = dict[str, dict[str, Any]]

# An un-enriched copy never replaces an enriched item, an enriched copy completes an un-enriched one.
_CONDITION = "attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))"


class ConflictingRecord(InvalidRecord):
    """Another record is stored under the same id and timestamp."""

    def __init__(self) -> None:
        super().__init__("another record with the same id and timestamp is stored")


def put(item: Item) -> bool:
    """Write an item, unless its data is stored already; return whether it was written.

    A write whose answer was lost finds its own item when it is sent again, and succeeds.

    Raises:
        ConflictingRecord: other data is stored under the same key, and stays.
        ServiceError: DynamoDB refused, or still failed after the retries; Lambda invokes again.
        ConfigurationError: the environment lacks what a request needs.
    """
    request = {
        "TableName": _table_name(),
        "Item": item,
        "ConditionExpression": _CONDITION,
        "ExpressionAttributeNames": {"#data": "data"},  # a reserved word
        "ExpressionAttributeValues": {":data": item["data"]},
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
    if stored.get("data") != item["data"]:
        raise ConflictingRecord
    return False


@cache
def client() -> Client:
    """Return the client, which is made once."""
    return from_environment("dynamodb")


def _table_name() -> str:
    name = os.environ.get("TABLE_NAME")
    if not name:
        raise ConfigurationError("TABLE_NAME must be set to the name of the data table")
    return name


# In init, so that a provisioned instance's first caller waits for neither connection nor trust; elsewhere an import
# needs no region.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    client().connect()
    gc.freeze()  # nothing of all this is garbage; without it the slowest calls would be those that look again
