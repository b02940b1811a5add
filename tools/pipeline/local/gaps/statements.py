"""Statements of PartiQL: which of IAM's actions each needs on which table, and a batch of which some are denied.

IAM has an action for each kind of statement, on its table, and none for a request that executes them:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
In a batch a denied statement fails alone, with the code AccessDenied:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from pipeline.local.asynchronous import region_of
from pipeline.local.asynchronous.aws_api import CALLER, Answer, AwsApi, Scope, call, json_answer
from pipeline.local.embedded.ministack import ministack

EXECUTING = ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement")  # what MiniStack asks for instead
TARGET = "DynamoDB_20120810.BatchExecuteStatement"
DENIED = "AccessDeniedException"
MALFORMED = (ValueError, TypeError, LookupError, AttributeError)
"""What a request that is no request of DynamoDB's makes of the code that reads it."""


def checks(body: bytes) -> list[tuple[str, str]]:
    """Return the action and the table, or its index, that each statement of a request needs.

    A statement that can't be parsed is left out: it fails before it comes to a table.
    """
    found = []
    with suppress(*MALFORMED):
        document = json.loads(body)
        for statement in document.get("Statements", [document]):
            with suppress(*MALFORMED):
                found.append(_check(statement["Statement"], statement.get("Parameters") or []))
    return found


def _check(text: str, parameters: Sequence[Any]) -> tuple[str, str]:
    with suppress(*MALFORMED):
        return _of_text(text)
    return _parse(text, parameters)


@lru_cache(1000)
def _of_text(text: str) -> tuple[str, str]:
    """Parse a statement whatever its parameters are: one has the same text for each item."""
    return _parse(text, [{"S": ""}] * text.count("?"))


def _parse(text: str, parameters: Sequence[Any]) -> tuple[str, str]:
    """Parse a statement by the code that executes it, so that none reaches another table than the one asked for."""
    parsed = ministack("services.dynamodb")._parse_partiql(text, parameters)
    table, index = parsed["table"], parsed.get("index")
    return f"dynamodb:PartiQL{parsed['op'].capitalize()}", f"{table}/index/{index}" if index else table


async def batch(aws: AwsApi, scope: Scope, body: bytes) -> Answer:
    """Execute a batch; if MiniStack denies all of it for one statement, then each as if it had come alone."""
    answer = await call(aws.app, scope, body)
    if answer.error_code != DENIED:
        return answer
    responses, document = [], json.loads(body)
    for statement in document["Statements"]:
        answer = await execute(aws, scope, {**document, "Statements": [statement]})
        if answer.error_code == DENIED:
            responses.append({"Error": {"Code": "AccessDenied", "Message": answer.problem}})
        elif answer.status == 200:
            responses += answer.json()["Responses"]
        else:
            return answer
    return batch_answer(responses)


async def execute(aws: AwsApi, scope: Scope, document: dict[str, Any]) -> Answer:
    """Execute other statements than those of a request, as its caller."""
    return await aws.perform("dynamodb", region_of(scope), TARGET, document, scope[CALLER].key)


def batch_answer(responses: Sequence[Any]) -> Answer:
    """Return the answer to a batch of statements."""
    return json_answer(200, {"Responses": responses}, content_type="application/x-amz-json-1.0")
