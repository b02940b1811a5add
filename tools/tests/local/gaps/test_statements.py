"""Statements of PartiQL, and the rights that they need, as callers with a role's credentials see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deployed import DeployedStack
from tools.tests.local.lambdas import Lab, allow, user


@pytest.fixture
def lab(stack: DeployedStack) -> Lab:
    return Lab(stack)


@pytest.fixture
def table(lab: Lab) -> tuple[str, str]:
    """The name and the ARN of the data table."""
    described = lab.client("dynamodb").describe_table(TableName=lab.stack.outputs.table)["Table"]
    return described["TableName"], described["TableArn"]


@pytest.fixture
def other(lab: Lab) -> str:
    """The name of another table."""
    client = lab.client("dynamodb")
    if "other" not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName="other",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return "other"


def insert(table: str, id: str) -> dict[str, Any]:  # noqa: A002 - the attribute's name
    return {
        "Statement": f"INSERT INTO \"{table}\" VALUE {{'id': ?, 'timestamp': ?, 'data': ?}}",
        "Parameters": [{"S": id}, {"N": "1"}, {"S": "1"}],
    }


def codes(client: Any, *statements: dict[str, Any]) -> list[str]:
    """Execute statements in one batch; return the error code of each."""
    answer = client.batch_execute_statement(Statements=list(statements))
    return [response.get("Error", {}).get("Code", "") for response in answer["Responses"]]


def test_a_role_inserts_with_the_right_to_insert(lab: Lab, table: tuple[str, str]) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow("dynamodb:PartiQLInsert", arn))
    assert codes(client, insert(name, "a"), insert(name, "b"), insert(name, "a")) == ["", "", "DuplicateItem"]
    assert {item.id for item in lab.stack.items()} == {"a", "b"}


@pytest.mark.parametrize("action", ["dynamodb:PartiQLSelect", "dynamodb:BatchExecuteStatement", "dynamodb:PutItem"])
def test_without_it_each_statement_is_denied(lab: Lab, table: tuple[str, str], action: str) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow(action, arn))
    answer = client.batch_execute_statement(Statements=[insert(name, "a"), insert(name, "b")])
    assert [response["Error"]["Code"] for response in answer["Responses"]] == ["AccessDenied", "AccessDenied"]
    assert "not authorized to perform: dynamodb:PartiQLInsert" in answer["Responses"][0]["Error"]["Message"]
    assert lab.stack.items() == []


def test_a_right_that_is_taken_away_is_gone(lab: Lab, table: tuple[str, str]) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow("dynamodb:*", "*"), allow("dynamodb:PartiQLInsert", arn, "Deny"))
    assert codes(client, insert(name, "a")) == ["AccessDenied"]


def test_of_a_batch_the_statements_for_another_table_alone_are_denied(
    lab: Lab, table: tuple[str, str], other: str
) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow("dynamodb:PartiQLInsert", arn))
    statements = insert(name, "a"), insert(other, "b"), insert(name, "a"), insert(name, "c")
    assert codes(client, *statements) == ["", "AccessDenied", "DuplicateItem", ""]
    assert lab.client("dynamodb").scan(TableName=other)["Count"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"other\" SET x = ' FROM \"{name}\"' WHERE id = 'a'",
        'SELECT * FROM "other" WHERE id = \' FROM "{name}"\'',
        "DELETE FROM \"other\" WHERE id = 'a'",
        "insert into other value {{'id': ' INTO \"{name}\"'}}",
    ],
)
def test_a_statement_can_not_hide_its_table(lab: Lab, table: tuple[str, str], other: str, statement: str) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow("dynamodb:PartiQL*", arn))
    assert other in statement
    assert codes(client, {"Statement": statement.format(name=name)}) == ["AccessDenied"]
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:PartiQL"):
        client.execute_statement(Statement=statement.format(name=name))


def test_what_is_no_statement_is_an_error_of_its_own(lab: Lab, table: tuple[str, str]) -> None:
    name, arn = table
    client = lab.client_of_role("dynamodb", allow("dynamodb:PartiQLInsert", arn))
    assert codes(client, insert(name, "a"), {"Statement": "no statement"}) == ["", "ValidationError"]


def test_ministack_alone_still_asks_for_an_action_that_iam_does_not_have(bare: Callable[..., Any]) -> None:
    """When this fails, MiniStack asks for each statement's action: remove `local/gaps/statements.py`."""
    _, key = user(bare("iam"), allow("dynamodb:PartiQLInsert", "*"))
    client = bare("dynamodb", key["AccessKeyId"], key["SecretAccessKey"], None)
    with pytest.raises(ClientError, match="dynamodb:BatchExecuteStatement"):
        client.batch_execute_statement(Statements=[insert("t", "a")])
