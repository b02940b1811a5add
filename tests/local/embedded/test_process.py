"""The small parts of the embedded AWS, each by itself."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.certificate import make_certificates
from local.deploy import Stack
from local.embedded import ROOT, EmbeddedAws, Options
from local.environment import exports, for_ministack, for_tools
from local.errors import LocalError
from local.settle import canonical, dead_letter
from local.workspace import YOUNG, Workspace, sweep

STACK = Stack("table", "url", "arn", {name: name for name in ("validator", "enricher", "processor")})


def test_a_workspace_of_a_dead_owner_is_swept_and_a_living_ones_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "data-processing-local-dead"
    dead.mkdir()
    (dead / "lock").touch()
    with Workspace() as living:
        sweep()
        assert sorted(tmp_path.iterdir()) == [living.path]
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_that_is_just_being_made_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    young, old = tmp_path / "data-processing-local-young", tmp_path / "data-processing-local-old"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 2 * YOUNG,) * 2)
    sweep()
    assert list(tmp_path.iterdir()) == [young]


def test_the_children_know_the_embedded_aws_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "SAM_CLI_POLL_DELAY"):
        monkeypatch.setenv(name, "misleading")
    exported = exports("https://127.0.0.1:1", tmp_path / "ca.pem")
    for environment in (for_tools(exported, tmp_path), for_ministack(exported, tmp_path, 1)):
        assert "misleading" not in environment.values()
        assert environment["AWS_ENDPOINT_URL"] == "https://127.0.0.1:1"
        assert environment["AWS_CA_BUNDLE"] == str(tmp_path / "ca.pem")
    assert for_ministack(exported, tmp_path, 1)["AUTH"] == "true"


def test_the_server_certificate_is_trusted_by_its_authority_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, other = make_certificates(tmp_path), make_certificates(tmp_path / "other")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)

    def handshake(authority: Path, name: str) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context(cafile=authority).wrap_bio(to_client, to_server, server_hostname=name)
        side = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(4):
            for half in (client, side):
                try:
                    half.do_handshake()
                except ssl.SSLWantReadError:
                    continue

    for name in ("127.0.0.1", "localhost", "host.docker.internal"):
        handshake(made.authority, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(other.authority, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made.authority, "dynamodb.us-east-1.amazonaws.com")
    assert made.key.stat().st_mode & 0o077 == 0


def test_a_tethered_command_passes_its_exit_status_on() -> None:
    reading, writing = os.pipe()
    done = subprocess.run(
        [sys.executable, "-m", "local.tether", sys.executable, "-c", "import sys; sys.exit(7)"],
        cwd=ROOT,
        stdin=reading,
        start_new_session=True,
        check=False,
    )
    os.close(reading)
    os.close(writing)
    assert done.returncode == 7


def test_a_tethered_command_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    mark = tmp_path / "started"
    code = f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-m", "local.tether", sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) != 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_missing_output_is_one_sentence() -> None:
    with pytest.raises(LocalError, match="missing: DlqArn"):
        Stack.of_outputs({"TableName": "", "DlqUrl": "", "ValidatorFunctionArn": ""}, client=None)


def test_equal_documents_are_equal_texts_and_others_are_not() -> None:
    assert canonical({"a": 1, "b": [1.5, None]}) == canonical({"b": [1.5, None], "a": 1})
    assert len({canonical(value) for value in (1, True, "1", 1.5, None, [1], {"1": 1})}) == 7


def test_a_record_that_only_looks_like_an_envelope_is_the_validators() -> None:
    body = canonical({"requestPayload": 1, "requestContext": {"functionArn": "somebody else's"}})
    letter = dead_letter({"Body": body, "MessageAttributes": {}}, STACK)
    assert (letter.stage, letter.origin) == ("validator", body)


def test_a_server_that_is_killed_is_one_sentence() -> None:
    with EmbeddedAws(Options()) as aws:
        os.kill(aws._process.pid, signal.SIGKILL)
        with pytest.raises(LocalError, match="the embedded AWS ended unexpectedly"):
            aws.queue_state()
    assert not aws.workspace.path.exists()
