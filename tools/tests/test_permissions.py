"""The rights that docs/commands.md grants the operator suffice, and none is superfluous: the embedded AWS decides."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.deployed import ROOT, STACK_NAME, DeployedStack
from tests.own import pipeline

from .conftest import Ran, put_letters
from .stack.samples import STAGES, record

Run = Callable[..., Ran]
DOCUMENT = ROOT / "docs" / "commands.md"
USER = "operator"


class Right(NamedTuple):
    action: str
    resource: str


def table() -> dict[str, list[Right]]:
    """The rights of each command, as documented."""
    rows = re.findall(r"(?m)^\| (.*?) ?\| `(\w+:\w+)`.*? \| (.*?) \|$", DOCUMENT.read_text())
    rights, commands = defaultdict(list), ""
    for names, action, resource in rows:
        commands = names or commands
        for command in re.findall(r"[\w-]+", commands):
            rights[command].append(Right(action, resource))
    every = rights.pop("every")
    return {name: every + own for name, own in rights.items()}


RIGHTS = table()
GET_FUNCTION = Right("lambda:GetFunction", "*function*")
HERE = {
    "lambda:GetProvisionedConcurrencyConfig": GET_FUNCTION,
    "lambda:GetFunctionEventInvokeConfig": GET_FUNCTION,
    "lambda:GetFunctionConcurrency": Right("lambda:PutFunctionConcurrency", "*function*"),
    "logs:FilterLogEvents": Right("logs:FilterLogEvents", "`arn:aws:logs:REGION:ACCOUNT:log-group:/aws/lambda/NAME`"),
}
"""What MiniStack asks for instead, as the document says too."""


def here(right: Right) -> Right:
    """The right that MiniStack asks for, which may be that of several actions."""
    return HERE.get(right.action, right)


COMMANDS = {
    "submit": ("submit", "records.jsonl", "--batch", "1"),
    "verify": ("verify", "records.jsonl"),
    "dead-letters": ("dead-letters",),
    "redrive": ("redrive", "--yes", "--stage", "validator"),
    "status": ("status",),
    "explain": ("explain", "r-1"),
    "export": ("export",),
    # Other tests of the same stack have published versions and moved its aliases.
    "plan": ("plan", "--allow", "not-live", "--allow", "equal-version"),
    "smoke": ("smoke",),
}


def resources(stack: DeployedStack, text: str) -> list[str]:
    """Return the ARNs that a resource of the document stands for."""
    outputs = stack.outputs
    functions = {
        "ValidatorFunctionArn": outputs.aliases["validator"],
        "EnricherFunctionArn": outputs.aliases["enricher"],
        "ProcessorFunctionArn": outputs.aliases["processor"],
    }
    named = {"DlqArn": outputs.queue_arn, **functions}
    found = [named[name] for name in re.findall(r"`(\w+Arn)`", text)]
    if "*function*" in text:
        found += [alias.rpartition(":")[0] for alias in functions.values()]
    if "...FunctionArn" in text:
        found += functions.values()
    places = {
        "REGION": "us-east-1",
        "ACCOUNT": "000000000000",
        "STACK": STACK_NAME,
        "TableName": outputs.table,
    }
    arns = re.findall(r"`(arn:\S+|\*)`", text)
    arns = [
        arn.replace("NAME", name)
        for arn in arns
        for name in map(stack.function, STAGES if "NAME" in arn else ["validator"])
    ]
    found += [re.sub("|".join(places), lambda match: places[match[0]], arn) for arn in arns]
    assert found, text
    return found


@pytest.fixture
def stack(stack: DeployedStack, embedded: DeployedStack, tmp_path: Path) -> DeployedStack:
    """The deployed stack, with its project in the current folder, and records to submit."""
    pipeline.write(tmp_path)
    lines = [record(1), {"id": "r-1", "data": 1}]
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return stack


def fill(stack: DeployedStack) -> None:
    """Let a dead letter of the validator be in the queue and one of no stage, and none in anybody's hands."""
    stack.client("sqs").purge_queue(QueueUrl=stack.outputs.queue_url)
    put_letters(stack, record(2), "{broken")


@pytest.fixture
def grant(stack: DeployedStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Right]], None]]:
    """Make the commands run as a user with nothing but the rights that are granted last."""
    iam = stack.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    def put(rights: list[Right]) -> None:
        statements = [
            {"Effect": "Allow", "Action": right.action, "Resource": resources(stack, right.resource)}
            for right in map(here, rights)
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=USER, PolicyName="operate", PolicyDocument=document)

    yield put
    iam.delete_user_policy(UserName=USER, PolicyName="operate")
    iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=USER)


def test_the_document_knows_every_command() -> None:
    assert {name: len(rights) for name, rights in RIGHTS.items()} == {
        "submit": 2,
        "verify": 7,
        "dead-letters": 5,
        "redrive": 7,
        "status": 15,
        "explain": 8,
        "export": 2,
        "plan": 11,
        "smoke": 6,
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_the_documented_rights_suffice_and_none_is_superfluous(
    stack: DeployedStack, operate: Run, grant: Callable[[list[Right]], None], command: str
) -> None:
    rights, told = RIGHTS[command], ""
    if command == "status":  # it goes on, and names all that it may not do
        grant([right for right in rights if right in RIGHTS["export"]])
        told = operate(*COMMANDS[command]).err
    takes_letters = "sqs:ReceiveMessage" in {right.action for right in rights}
    fill(stack)
    for missing in (right for right in rights if here(right).action not in told):
        if takes_letters:
            fill(stack)
        grant([right for right in rights if right != missing and here(right) != here(missing)])
        ran = operate(*COMMANDS[command])
        assert (missing.action, ran.code) == (missing.action, 3)
        assert here(missing).action in ran.error
    fill(stack)
    grant(rights)
    assert operate(*COMMANDS[command]).code == (1 if command in ("verify", "explain") else 0)  # nothing was submitted
