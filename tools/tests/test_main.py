"""What goes wrong is one sentence, the right exit code, and nothing lost; whichever command meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import HTTPClientError

from pipeline.stack.aws import explain
from tests.deployed import ROOT

from .conftest import Ran
from .fake_aws import Failure, FakeAws
from .stack.samples import record

Run = Callable[..., Ran]

COMMANDS = [["redrive", "--yes"], ["submit", "records.jsonl"]]


@pytest.fixture(params=COMMANDS, ids=lambda command: command[0])
def command(request: pytest.FixtureRequest, aws: FakeAws) -> list[str]:
    Path("records.jsonl").write_text('{"id": "a", "timestamp": 1, "data": 1}\n')
    aws.put(record(1))
    chosen: list[str] = request.param
    return chosen


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Failure(403, "ExpiredToken"), "expired"),
        (Failure(403, "InvalidClientTokenId"), "does not accept these credentials"),
        (Failure(403, "SignatureDoesNotMatch"), "does not accept these credentials"),
        (Failure(403, "AccessDenied", "User: u is not authorized"), "denies DescribeStacks: User: u is not authorized"),
    ],
)
def test_what_aws_refuses_is_told(
    aws: FakeAws, operate: Run, command: list[str], failure: Failure, sentence: str
) -> None:
    aws.always["DescribeStacks"] = failure
    ran = operate(*command)
    assert ran.code == 3
    assert sentence in ran.error
    assert len(aws.messages) == 1
    assert not aws.invocations


def test_a_missing_stack_is_told_with_where_it_was_looked_for(aws: FakeAws, operate: Run, command: list[str]) -> None:
    ran = operate(*command, "--stack-name", "nothing", "--region", "eu-west-1")
    assert ran.code == 3
    assert "no stack 'nothing'" in ran.error
    assert "eu-west-1: --stack-name, --region or --profile name another" in ran.error


def test_a_stack_that_is_another_is_told(aws: FakeAws, operate: Run, command: list[str]) -> None:
    del aws.outputs["DlqUrl"]
    ran = operate(*command)
    assert ran.code == 3
    assert "missing: DlqUrl" in ran.error
    assert "UPDATE_COMPLETE" in ran.error


def test_an_unknown_profile_is_told(aws: FakeAws, operate: Run, command: list[str]) -> None:
    ran = operate(*command, "--profile", "nobody")
    assert (ran.code, ran.error) == (2, "There is no profile 'nobody' in the AWS configuration files.")


def test_a_missing_region_is_told(
    aws: FakeAws, operate: Run, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    ran = operate(*command)
    assert ran.code == 2
    assert "No region is named" in ran.error


@pytest.mark.parametrize("region", ["no region", "a_b"])
def test_a_region_that_is_none_is_told(aws: FakeAws, operate: Run, command: list[str], region: str) -> None:
    ran = operate(*command, "--region", region)
    assert ran.code == 2
    assert region in ran.error


def test_missing_credentials_are_told(
    aws: FakeAws, operate: Run, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    ran = operate(*command)
    assert ran.code == 3
    assert "credentials" in ran.error


def test_an_endpoint_that_is_not_there_is_told(
    aws: FakeAws, operate: Run, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("pipeline.stack.aws.ATTEMPTS", 1)
    ran = operate(*command)
    assert ran.code == 3
    assert "can't be reached" in ran.error


BROKEN = "this is no config\n"
SETTINGS: list[tuple[dict[str, str], str]] = [
    ({"AWS_PROFILE": "nope"}, "There is no profile 'nope' in the AWS configuration files: AWS_PROFILE names it."),
    ({"AWS_DEFAULT_PROFILE": "nope"}, "no profile 'nope' in the AWS configuration files: AWS_DEFAULT_PROFILE names it"),
    ({"AWS_ACCESS_KEY_ID": "test\n"}, "AWS_ACCESS_KEY_ID must have no space, line end"),
    ({"AWS_SECRET_ACCESS_KEY": "precious secret"}, "AWS_SECRET_ACCESS_KEY must have no space, line end"),
    ({"AWS_SESSION_TOKEN": "tökén"}, "AWS_SESSION_TOKEN must have no space, line end"),
    ({"AWS_ENDPOINT_URL_CLOUDFORMATION": "ftp://a"}, "AWS_ENDPOINT_URL_CLOUDFORMATION must be a URL such as"),
    *(
        ({"AWS_ENDPOINT_URL": url}, f"AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566 (got '{url}').")
        for url in ("nowhere", "localhost:4566", "ftp://a", "http://a:99999999", "http://a b", "http://")
    ),
    ({"AWS_CONFIG_FILE": "broken"}, "Unable to parse config file: broken (set by AWS_CONFIG_FILE)."),
    (
        {"AWS_SHARED_CREDENTIALS_FILE": "broken", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        "Unable to parse config file: broken (set by AWS_SHARED_CREDENTIALS_FILE).",
    ),
    ({"AWS_CA_BUNDLE": "broken"}, "AWS_CA_BUNDLE must name a file of certificates (got 'broken': no certificates)."),
    ({"AWS_CA_BUNDLE": "/no/such"}, "AWS_CA_BUNDLE must name a file of certificates (got '/no/such': No such file"),
    ({"AWS_REGION": "eu-west-1\n"}, r"must be one such as eu-west-1 (got 'eu-west-1\n') (set by AWS_REGION)."),
    ({"AWS_DEFAULTS_MODE": "foo"}, "(set by AWS_DEFAULTS_MODE)."),
    ({"AWS_STS_REGIONAL_ENDPOINTS": "foo"}, "(set by AWS_STS_REGIONAL_ENDPOINTS)."),
]


@pytest.mark.parametrize(("variables", "sentence"), SETTINGS, ids=lambda value: str(value)[:60])
def test_a_setting_that_can_not_be_right_is_named(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    Path("broken").write_text(BROKEN)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = operate("dead-letters")
    assert (ran.code, sentence in ran.error) == (2, True), ran.error
    assert not any(word in ran.error for word in ("network", "Signature", "precious"))


def test_an_endpoint_in_a_file_is_named_as_such(aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_CONFIG_FILE", "config")
    Path("config").write_text("[default]\nendpoint_url = localhost:4566\n")
    ran = operate("dead-letters")
    assert (ran.code, "localhost:4566 (endpoint_url in the AWS configuration file)." in ran.error) == (2, True)


def test_a_header_with_a_signature_is_never_shown() -> None:
    header = "Invalid header value b'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=abc\\n'"
    message = str(explain(HTTPClientError(error=ValueError(header))))
    assert "Invalid header value ..." in message
    assert "abc" not in message


def test_what_an_encoding_can_not_show_is_escaped(aws: FakeAws) -> None:
    aws.put(record(1, id="汉字-é"), error="\u201cquoted\u201d")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "dead-letters"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert r"\u6c49\u5b57" in done.stdout.decode("cp1252")


@pytest.mark.parametrize("command", [["dead-letters"], ["redrive", "--yes"], ["redrive", "--dry-run"]])
@pytest.mark.parametrize("operation", ["GetQueueAttributes", "ReceiveMessage"])
def test_a_queue_that_was_deleted_meanwhile_is_told(
    aws: FakeAws, operate: Run, command: list[str], operation: str
) -> None:
    aws.always[operation] = Failure(400, "com.amazonaws.sqs#QueueDoesNotExist")
    ran = operate(*command)
    assert ran.code == 3
    assert "dead-letter queue that the stack names does not exist" in ran.error


@pytest.mark.parametrize(
    "failure",
    [
        Failure(403, "ExpiredTokenException"),
        Failure(403, "AccessDeniedException"),
        Failure(404, "ResourceNotFoundException"),
    ],
)
def test_a_redrive_that_can_not_go_on_leaves_every_letter_that_was_not_sent(
    aws: FakeAws, operate: Run, failure: Failure
) -> None:
    for number in range(60):
        aws.put(record(number))
    aws.failures["Invoke"] = [None] * 25
    aws.always["Invoke"] = failure
    ran = operate("redrive", "--yes")
    assert ran.code == 3
    sent = {event["id"] for event in aws.payloads}
    assert f"{len(sent)} letters were sent again and deleted" in ran.error
    assert len(aws.messages) == aws.visible == 60 - len(sent)


def test_credentials_that_expire_while_letters_are_in_hand_lose_none(aws: FakeAws, operate: Run) -> None:
    for number in range(20):
        aws.put(record(number))
    expired = Failure(403, "ExpiredToken")
    aws.failures["ReceiveMessage"] = [None]
    for operation in ("Invoke", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"):
        aws.always[operation] = expired
    ran = operate("redrive", "--yes")
    assert ran.code == 3
    assert "expired" in ran.error
    assert "seen again after 60 s" in ran.error
    assert len(aws.messages) == 20


def test_an_interrupted_redrive_gives_back_what_it_holds(aws: FakeAws) -> None:
    for one in range(50):
        aws.put(record(one))
    ran = interrupted(aws, ["redrive", "--yes", "--rate", "5"], signal.SIGTERM)
    assert ran.code == 143
    assert "Interrupted" in ran.error
    assert 0 < len(aws.invocations) < 50
    assert len(aws.messages) == aws.visible == 50 - len(aws.invocations)


def test_an_interrupted_submission_says_how_to_go_on(aws: FakeAws) -> None:
    path = Path("many.jsonl")
    path.write_text("".join(f'{{"id": "r-{n}", "timestamp": 1, "data": 1}}\n' for n in range(50)))
    ran = interrupted(aws, ["submit", str(path.absolute()), "--rate", "5"], signal.SIGINT)
    assert ran.code == 130
    assert "run the same command again" in ran.error
    journal = Path("many.jsonl.journal").read_text().splitlines()
    assert 0 < sum(map(len, aws.payloads)) == len(journal) - 1 < 50


def interrupted(aws: FakeAws, arguments: list[str], number: int) -> Ran:
    """Run a command in a process of its own, and send it a signal when its first event was accepted."""
    with (
        interruptible(),
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        ) as process,
    ):
        deadline = time.monotonic() + 30
        while not aws.invocations and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    return Ran(process.returncode, out, err)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let children take Ctrl-C: one that is ignored, as in the background of a shell, they would ignore too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_import_without_the_environment_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('no click', name='click')")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; from pipeline.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "There is no click in this Python: `make setup` makes the environment in .venv; run .venv/bin/pipeline.\n"
    )
