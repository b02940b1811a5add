"""A table's stream has what was written in whichever way."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from pipeline.local.embedded.process import EmbeddedAws


def table(client: Any) -> str:
    """Make a table with a stream."""
    name = f"t-{uuid.uuid4()}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


def changes(client: Any, streams: Any, name: str) -> list[tuple[str, Any, Any]]:
    """Return what a table's stream has: each change, and the item before and after it."""
    arn = client.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        records = streams.get_records(ShardIterator=streams.get_shard_iterator(**start)["ShardIterator"])["Records"]
        for record in records:
            images = (record["dynamodb"].get(image, {}).get("n") for image in ("OldImage", "NewImage"))
            found.append((record["eventName"], *images))
    return found


STATEMENTS = [
    "INSERT INTO \"{}\" VALUE {{'id': 'a', 'n': 1}}",
    "INSERT INTO \"{}\" VALUE {{'id': 'a', 'n': 2}}",
    "UPDATE \"{}\" SET n = 3 WHERE id = 'a'",
    "DELETE FROM \"{}\" WHERE id = 'a'",
]


def write(client: Any, name: str) -> None:
    """Write in batches: of these statements, the second fails."""
    for statement in STATEMENTS:
        client.batch_execute_statement(Statements=[{"Statement": statement.format(name)}])


def test_a_stream_has_what_statements_changed_and_nothing_twice(aws: EmbeddedAws) -> None:
    client = aws.client("dynamodb")
    name = table(client)
    write(client, name)
    client.put_item(TableName=name, Item={"id": {"S": "b"}, "n": {"N": "4"}})
    assert changes(client, aws.client("dynamodbstreams"), name) == [
        ("INSERT", None, {"N": "1"}),
        ("MODIFY", {"N": "1"}, {"N": "3"}),
        ("REMOVE", {"N": "3"}, None),
        ("INSERT", None, {"N": "4"}),
    ]


def test_ministack_alone_still_leaves_statements_out(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack gives them to streams by itself: remove `local/gaps/streams.py`."""
    client = bare("dynamodb")
    name = table(client)
    write(client, name)
    assert changes(client, bare("dynamodbstreams"), name) == []
