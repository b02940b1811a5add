"""The data table: one conditional write that never overwrites other data."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from record import InvalidRecord

Item = dict[str, dict[str, Any]]

# An un-enriched copy never replaces an enriched item, an enriched copy completes an un-enriched one.
_CONDITION = "attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))"

# At worst five attempts of 1 + 3 s with waits of 1, 2, 4 and 8 s between them: 35 s of the function's 60.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=1,  # an instance handles one event at a time
    tcp_keepalive=True,
    parameter_validation=False,  # its errors would quote the data, and a valid record makes a valid item
)


class ConflictingRecord(InvalidRecord):
    """Another record is stored under the same id and timestamp."""

    def __init__(self) -> None:
        super().__init__("another record with the same id and timestamp is stored")


class ConfigurationError(RuntimeError):
    """The function's environment lacks what it needs."""


def put(item: Item) -> bool:
    """Write an item, unless its data is stored already; return whether it was written.

    Raises:
        ConflictingRecord: other data is stored under the same key, and stays.
        ClientError: DynamoDB refused, or still failed after the retries; Lambda invokes again.
    """
    try:
        client().put_item(
            TableName=_table_name(),
            Item=item,
            ConditionExpression=_CONDITION,
            ExpressionAttributeNames={"#data": "data"},  # a reserved word
            ExpressionAttributeValues={":data": item["data"]},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        stored: Any = error.response.get("Item", {})
    else:
        return True
    if stored.get("data") != item["data"]:
        raise ConflictingRecord
    return False


@cache
def client() -> Any:
    """Return the DynamoDB client; botocore alone does not read AWS_REGION, the SDK's other variables it does."""
    session = botocore.session.get_session()
    return session.create_client("dynamodb", region_name=os.environ.get("AWS_REGION"), config=_CONFIG)


def _table_name() -> str:
    name = os.environ.get("TABLE_NAME")
    if not name:
        raise ConfigurationError("TABLE_NAME must be set to the name of the data table")
    return name


# In init, so that a provisioned instance's first caller does not wait for it; elsewhere an import needs no region.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    client()
