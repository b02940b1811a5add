"""Throttled writes: as many as were asked for, each by itself, and the same ones for a seed."""

import pytest
from botocore.exceptions import ClientError

from pipeline.local.asynchronous import Faults, QueueOptions
from tests.deployed import DeployedStack


def throttle(stack: DeployedStack, rate: float, seed: int = 1) -> None:
    stack.reset(QueueOptions(faults=Faults(seed, throttle_rate=rate)))


def inserted(stack: DeployedStack, *ids: str) -> list[str]:
    """Insert items in one batch; return the error code of each."""
    insert = f"INSERT INTO \"{stack.outputs.table}\" VALUE {{'id': ?, 'timestamp': ?, 'data': ?}}"
    statements = [{"Statement": insert, "Parameters": [{"S": one}, {"N": "1"}, {"S": "1"}]} for one in ids]
    answer = stack.client("dynamodb").batch_execute_statement(Statements=statements)
    return [response.get("Error", {}).get("Code", "") for response in answer["Responses"]]


def put(stack: DeployedStack) -> None:
    item = {"id": {"S": "a"}, "timestamp": {"N": "1"}, "data": {"S": "1"}}
    stack.client("dynamodb").put_item(TableName=stack.outputs.table, Item=item)


def test_of_a_batch_each_statement_is_throttled_by_itself_and_the_others_are_executed(stack: DeployedStack) -> None:
    throttle(stack, 0.5)
    codes = inserted(stack, *map(str, range(20)))
    assert set(codes) == {"", "ThrottlingError"}
    assert sorted(item.id for item in stack.items()) == sorted(str(n) for n, code in enumerate(codes) if not code)


def test_a_seed_throttles_the_same_writes_again_and_another_seed_others(stack: DeployedStack) -> None:
    found = []
    for seed in (1, 1, 2):
        throttle(stack, 0.5, seed)
        found.append(inserted(stack, *map(str, range(20))))
    assert found[0] == found[1] != found[2]


def test_another_attempt_may_have_more_luck(stack: DeployedStack) -> None:
    throttle(stack, 0.5)
    codes = {code for _ in range(20) for code in inserted(stack, "a")}
    assert codes == {"", "ThrottlingError", "DuplicateItem"}


def test_a_single_write_is_refused(stack: DeployedStack) -> None:
    throttle(stack, 1)
    with pytest.raises(ClientError, match="ThrottlingException"):
        put(stack)
    assert stack.items() == []
    throttle(stack, 0)
    put(stack)
    assert [item.id for item in stack.items()] == ["a"]
