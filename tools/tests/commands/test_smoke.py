"""The command `smoke`, against the embedded AWS: it comes through, or says where it stuck."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.local.asynchronous import Clock, QueueOptions
from pipeline.questions.template import read
from tests.deployed import STACK_NAME, DeployedStack

from ..conftest import Ran

Run = Callable[..., Ran]
TIMEOUT = 50
"""Seconds: fewer than smoke's own."""


@pytest.fixture(autouse=True)
def slow_retries(request: pytest.FixtureRequest) -> None:
    """Let no event fail for good while its place is looked for."""
    if "embedded" in request.fixturenames:
        request.getfixturevalue("stack").reset(QueueOptions(Clock(60)))


class Hastened:
    """A clock by which the timeout is over as soon as the record is seen to get no further."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack, self._ahead = stack, 0

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, _: float) -> None:
        assert not self._ahead, "the time was up"
        deadline, came = time.monotonic() + 60, False
        while not came:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            state = self._stack.aws.queue_state()
            came = not state["open"] or any("FUNCTION_ERROR" in counts for counts in state["functions"].values())
        self._ahead = TIMEOUT


@pytest.fixture
def hastened(stack: DeployedStack, embedded: DeployedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.questions.smoke.time", Hastened(stack))


def stuck(operate: Run) -> str:
    ran = operate("smoke", "--timeout", TIMEOUT, "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["passed"]) == (1, False)
    return str(told["stuck"])


def test_a_record_comes_through_and_leaves_nothing(stack: DeployedStack, embedded: DeployedStack, operate: Run) -> None:
    ran = operate("smoke")
    assert ran.code == 0, ran.out
    steps = [line.split("\t")[0] for line in ran.out.splitlines()]
    assert steps[1:4] == [
        "accepted",
        "stored, the stages added enriched, enrichedAt, version",
        "sent again, and stored once",
    ]
    assert "came through, and was removed." in steps[4]
    assert (stack.drain()["open"], stack.items(), stack.failures()) == (0, [], [])


def test_a_record_of_ones_own_is_sent(hastened: None, operate: Run, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text('{"id": "any", "data": null}')
    ran = operate("smoke", "--record", path, "--timeout", TIMEOUT)
    assert ran.code == 1
    assert "it stuck in the validator: record refused (Invalid data: missing data field)" in ran.out
    path.write_text("[]")
    assert operate("smoke", "--record", path).error.endswith("must hold a record, a JSON object (got list).")


@contextmanager
def denied(stack: DeployedStack, stage: str, action: str) -> Iterator[None]:
    iam, name = stack.client("iam"), stack.function(stage)
    role = stack.client("lambda").get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="none", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="none")


def test_a_stage_that_may_not_hand_on_is_named(stack: DeployedStack, hastened: None, operate: Run) -> None:
    with denied(stack, "validator", "lambda:InvokeFunction"):
        assert stuck(operate).startswith(
            "it stuck between the validator and the enricher, which logged nothing of it: "
        )


def test_a_table_that_may_not_be_written_is_named(stack: DeployedStack, hastened: None, operate: Run) -> None:
    with denied(stack, "processor", "dynamodb:PutItem"):
        assert stuck(operate) == "it stuck in the processor: stage failed (ServiceError)"


def test_an_alias_that_leads_to_a_broken_version_is_named(stack: DeployedStack, hastened: None, operate: Run) -> None:
    client, name = stack.client("lambda"), stack.function("enricher")
    template = stack.client("cloudformation").get_template(StackName=STACK_NAME, TemplateStage="Original")
    uri = read(template["TemplateBody"]).functions["enricher"]["CodeUri"].removeprefix("s3://")
    alias = client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("enricher.py", "import nothing_of_this_name\n")
    client.update_function_code(FunctionName=name, ZipFile=broken.getvalue())
    version = client.publish_version(FunctionName=name)["Version"]
    client.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    try:
        assert stuck(operate).endswith("or the version behind live does not start")
    finally:
        client.update_alias(FunctionName=name, Name="live", FunctionVersion=alias)
        bucket, _, key = uri.partition("/")
        client.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key=key)
        client.delete_function(FunctionName=name, Qualifier=version)
