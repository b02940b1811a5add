"""A fake AWS for the commands, and a way to run one as a user would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest
from botocore import loaders, session

from pipeline.main import main
from tests.deployed import STACK_NAME, DeployedStack

from .fake_aws import REGION, FakeAws, serving

ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def counts(self) -> dict[str, int]:
        """The figures that it ended with."""
        pairs = (line.split("\t") for line in self.out.splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}

    @property
    def error(self) -> str:
        """The one sentence that it ended with."""
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("Error: ")


@pytest.fixture(scope="session")
def service_models() -> Iterator[None]:
    """Let all sessions share what boto3 reads of its services, which takes most of a command's time."""
    loader = loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", lambda *_: loader)
        yield


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeAws]:
    with serving() as aws:
        yield aws


@pytest.fixture
def aws(fake: FakeAws, service_models: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAws:
    """The fake AWS, empty and answering, and an environment that leads to it alone."""
    fake.reset()
    _lead_to(monkeypatch, tmp_path, {"AWS_ENDPOINT_URL": fake.endpoint})
    monkeypatch.setattr("pipeline.letters.redrive.MOMENT", 0)
    return fake


@pytest.fixture
def embedded(
    deployed_stack: DeployedStack, service_models: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> DeployedStack:
    """The deployed stack, and an environment that leads to it alone, with its owner's rights."""
    _lead_to_embedded(monkeypatch, tmp_path, deployed_stack)
    return deployed_stack


@pytest.fixture
def embedded_with_files(
    stack_with_files: DeployedStack, service_models: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> DeployedStack:
    """The stack with the bucket of files, empty, and an environment that leads to it alone."""
    _lead_to_embedded(monkeypatch, tmp_path, stack_with_files)
    return stack_with_files


def _lead_to_embedded(monkeypatch: pytest.MonkeyPatch, folder: Path, stack: DeployedStack) -> None:
    _lead_to(monkeypatch, folder, stack.aws.environment)
    monkeypatch.setattr("pipeline.letters.queue.POLL", 0)  # it has one server, which misses no letter
    monkeypatch.setattr("pipeline.letters.redrive.MOMENT", 0)  # what comes back is read after `drain`
    monkeypatch.setattr("pipeline.commands.shared.settling.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("pipeline.questions.smoke.POLL", 0.05)


def _lead_to(monkeypatch: pytest.MonkeyPatch, folder: Path, variables: Mapping[str, str]) -> None:
    bundles = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # reading one takes as long as a command
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", *bundles):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        **ENVIRONMENT,
        **variables,
        "PIPELINE_STACK": STACK_NAME,
        "XDG_STATE_HOME": str(folder / "state"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)


def put_letters(stack: DeployedStack, *bodies: object, of: str = "validator") -> None:
    """Put letters into the embedded AWS' queue as Lambda writes them, with the role of a stage."""
    function = stack.client("lambda").get_function_configuration(FunctionName=stack.outputs.aliases[of])
    key = stack.client("sts").assume_role(RoleArn=function["Role"], RoleSessionName="awslambda_1")["Credentials"]
    sqs = boto3.client(
        "sqs",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    for number, body in enumerate(bodies):
        text = body if isinstance(body, str) else json.dumps(body)
        values = {"RequestID": f"id-{number}", "ErrorCode": "200", "ErrorMessage": "as the test asked"}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
        sqs.send_message(QueueUrl=stack.outputs.queue_url, MessageBody=text, MessageAttributes=attributes)


@pytest.fixture
def operate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command."""

    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def records(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of records, or of lines as they are."""

    def write(*lines: object, name: str = "records.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    return write
