"""The commands as a user runs them: in processes of their own, which leave nothing behind however they end."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.deployed import ROOT, DeployedStack

DEADLINE = 60
MISLEADING = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_CA_BUNDLE": "/no/such/file",
    "AWS_REGION": "eu-west-1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "AUTH": "false",
    "GATEWAY_PORT": "9",
    "SAM_CLI_TELEMETRY": "1",
}
"""What a shell may have set for another AWS."""


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command with its temporary files in `folder`, and make sure that it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT,
        env={**os.environ, **MISLEADING, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def eventually(condition: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of the processes that name a folder."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def assert_nothing_left(folder: Path) -> None:
    eventually(lambda: not processes_of(folder), f"the end of {processes_of(folder)}")
    eventually(lambda: not list(folder.iterdir()), f"an empty folder instead of {list(folder.iterdir())}")


def exports(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read the export lines, as a shell would."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    while "TABLE_NAME" not in found:
        line = process.stdout.readline()
        assert line.startswith("export "), line
        (assignment,) = shlex.split(line.removeprefix("export "))
        name, _, value = assignment.partition("=")
        found[name] = value
    return found


def test_run_prepares_reports_the_samples_and_leaves_nothing(tmp_path: Path) -> None:
    folder, report, prepared = tmp_path / "tmp", tmp_path / "report.json", tmp_path / "prepared"
    folder.mkdir()
    code = "import os, sys; print(sys.prefix, os.environ['TABLE_NAME'], os.environ['AWS_ENDPOINT_URL'])"
    prepare = f'python -c "{code}" | tee {prepared}'
    with started(folder, "run", "--report", str(report), "--json", "--prepare", prepare) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    python, _, endpoint = prepared.read_text().split()
    assert (python, endpoint != MISLEADING["AWS_ENDPOINT_URL"]) == (sys.prefix, True)
    assert [step for step in ("build", "start", "deploy", "submit", "drain", "report") if step not in errors] == []
    document = json.loads(report.read_text())
    assert json.loads(output) == document
    assert document["stored"] > 0
    assert document["submitted"] == document["stored"] + len(document["dead_letters"])
    assert {dead["stage"] for dead in document["dead_letters"]} >= {"validator"}
    assert all(dead["reason"] for dead in document["dead_letters"])
    assert_nothing_left(folder)


def test_up_serves_beside_another_one_until_it_is_interrupted(stack: DeployedStack, tmp_path: Path) -> None:
    with started(tmp_path, "up", "--json") as process:
        assert process.stdout
        environment = json.loads(process.stdout.readline())
        client = boto3.client(
            "dynamodb",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            verify=environment["AWS_CA_BUNDLE"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        assert environment["TABLE_NAME"] in client.list_tables()["TableNames"]
        assert environment["AWS_ENDPOINT_URL"] != stack.aws.endpoint
        assert stack.items() == []
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
    assert_nothing_left(tmp_path)


def test_a_busy_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with started(tmp_path, "up", "--port", str(port)) as process:
            output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert (output, errors) == ("", f"Error: port {port} on 127.0.0.1 can't be used: Address already in use\n")


def test_a_missing_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with started(tmp_path, "run", "no-such-file") as process:
        output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert (output, errors) == ("", "Error: no-such-file can't be read: No such file or directory.\n")


@pytest.mark.parametrize("moment", ["ca.pem", "build"])
def test_killing_it_leaves_no_process_and_no_folder(tmp_path: Path, moment: str) -> None:
    with started(tmp_path, "up") as process:
        eventually(lambda: list(tmp_path.glob(f"*/{moment}")), moment)
        assert processes_of(tmp_path)
        process.kill()
        process.wait()
    assert_nothing_left(tmp_path)


def test_a_report_that_could_not_be_written_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    for report, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none" / "report.json", "No such file or directory"),
    ):
        with started(tmp_path, "run", "--report", str(report)) as process:
            output, errors = process.communicate(timeout=DEADLINE)
        assert (process.returncode, output, errors) == (2, "", f"Error: {report} can't be written: {reason}.\n")


def test_an_interruption_while_modules_are_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "pipeline", "--help"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert any("click.core" in line for line in iter(process.stderr.readline, ""))  # rich and the SDK come after it
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize("moment", ["generate.py", "cfn-lint"])
def test_an_interruption_of_make_run_leaves_no_traceback(tmp_path: Path, moment: str) -> None:
    environment = Path(sys.executable).parent.parent  # where it is, it need not be made
    command = ["make", "-o", f"{environment}/.ready", f"VENV={environment}", "run"]
    with run_in_group(command, tmp_path) as process:
        eventually(lambda: any(moment in line for line in group(process.pid)), moment)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode
    assert ("KeyboardInterrupt" in output, "Traceback" in output) == (False, False), output
    assert group(process.pid) == []


@contextmanager
def run_in_group(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command as a terminal does, and make sure that all of it ends."""
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)}, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def group(number: int) -> list[str]:
    """Return the command lines of a group of processes."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pgid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split(maxsplit=1)[0] == str(number)]


MANY = 3000
"""Lines, more than a run gets through before it is interrupted."""


def write_many(records: Path) -> None:
    records.write_text("".join(json.dumps({"id": f"r{n}", "timestamp": 1, "data": n}) + "\n" for n in range(MANY)))


def test_an_interrupted_run_reports_what_was_done(tmp_path: Path) -> None:
    folder, records, report = tmp_path / "tmp", tmp_path / "records.jsonl", tmp_path / "report.json"
    folder.mkdir()
    write_many(records)
    with started(folder, "run", str(records), "--report", str(report)) as process:
        assert process.stdout
        assert any("deploy " in line for line in iter(process.stdout.readline, ""))
        eventually(lambda: [*folder.rglob("ministack-lambda-*")], "a function runs")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (130, "")
    assert re.search(r"\d+ submitted.*\nStopped with \d+ lines not submitted; \d+ events? on the way", output), output
    document = json.loads(report.read_text())
    assert document["problems"][0].startswith("stopped with ")
    assert 0 < document["submitted"] < MANY
    assert document["submitted"] == document["stored"] + document["lost"]
    assert_nothing_left(folder)


def test_an_interrupted_run_by_file_reports_too(tmp_path: Path) -> None:
    folder, records, report = tmp_path / "tmp", tmp_path / "records.jsonl", tmp_path / "report.json"
    folder.mkdir()
    write_many(records)
    with started(folder, "run", str(records), "--by-file", "--report", str(report)) as process:
        eventually(lambda: [*folder.rglob("ministack-lambda-*")], "a function runs")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, errors) == (130, ""), output
    assert json.loads(report.read_text())["problems"][0].startswith("stopped with 0 lines not submitted")
    assert_nothing_left(folder)
