"""The same conditional write by a boto3 client, as most handlers do it: made in init, the same limits and retries."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=1,
    tcp_keepalive=True,
)
_CLIENT = boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=_CONFIG)

Item = dict[str, dict[str, Any]]


def put(item: Item) -> bool:
    """Write an item, unless its data is stored already."""
    _CLIENT.put_item(
        TableName=os.environ["TABLE_NAME"],
        Item=item,
        ConditionExpression="attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))",
        ExpressionAttributeNames={"#data": "data"},
        ExpressionAttributeValues={":data": item["data"]},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    return True
