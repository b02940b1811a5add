"""The commands as a user runs them: they leave nothing behind however they end, and say in a sentence what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.commands import run as run_command
from pipeline.main import main
from tests.deployed import ROOT, DeployedStack

from ..conftest import Ran
from .processes import DEADLINE, MISLEADING, assert_nothing_left, eventually, processes_of, started

Run = Callable[..., Ran]


def test_run_prepares_and_reports_the_samples(
    stack: DeployedStack, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_to(stack, monkeypatch)
    report, prepared = tmp_path / "report.json", tmp_path / "prepared"
    code = "import os, sys; print(sys.prefix, os.environ['TABLE_NAME'], os.environ['AWS_ENDPOINT_URL'])"
    assert main(["run", "--report", str(report), "--json", "--prepare", f'python -c "{code}" | tee {prepared}']) == 0
    output, errors = capfd.readouterr()
    assert prepared.read_text().split() == [sys.prefix, stack.outputs.table, stack.aws.endpoint]
    assert [step for step in ("submit", "drain", "report") if step not in errors] == []
    document = json.loads(report.read_text())
    assert json.loads(output) == document
    assert document["stored"] > 0
    assert document["submitted"] == document["stored"] + len(document["dead_letters"])
    assert {dead["stage"] for dead in document["dead_letters"]} >= {"validator"}
    assert all(dead["reason"] for dead in document["dead_letters"])


def test_an_interrupted_run_by_file_reports_too(
    stack_with_files: DeployedStack, operate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    deploy_to(stack_with_files, monkeypatch)
    monkeypatch.setattr("pipeline.commands.shared.feeding.Bucket.state", interrupt)
    records, report = tmp_path / "records.jsonl", tmp_path / "report.json"
    records.write_text(json.dumps({"id": "a", "timestamp": 1, "data": 1}))
    assert operate("run", records, "--by-file", "--report", report).code == 130
    assert json.loads(report.read_text())["problems"][0].startswith("stopped with 0 lines not submitted")


def deploy_to(stack: DeployedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command `run` find a stack that is deployed, in an environment that leads elsewhere."""

    @contextmanager
    def deployed(*_: object, **__: object) -> Iterator[tuple[object, object]]:
        yield stack.aws, stack.outputs

    monkeypatch.setattr(run_command, "deployed", deployed)
    monkeypatch.chdir(ROOT)
    for name, value in MISLEADING.items():
        monkeypatch.setenv(name, value)


def test_a_busy_port_is_one_clear_sentence(operate: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ran = operate("up", "--port", port)
    assert ran == (1, "", f"Error: port {port} on 127.0.0.1 can't be used: Address already in use\n")


def test_a_missing_file_is_one_clear_sentence(operate: Run) -> None:
    assert operate("run", "no-such-file") == (2, "", "Error: no-such-file can't be read: No such file or directory.\n")


def test_a_report_that_could_not_be_written_is_refused_before_anything_is_run(operate: Run, tmp_path: Path) -> None:
    for report, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none" / "report.json", "No such file or directory"),
    ):
        assert operate("run", "--report", report) == (2, "", f"Error: {report} can't be written: {reason}.\n")


@pytest.mark.parametrize("moment", ["ca.pem", "build"])
def test_killing_it_leaves_no_process_and_no_folder(tmp_path: Path, moment: str) -> None:
    with started(tmp_path, "up") as process:
        eventually(lambda: list(tmp_path.glob(f"*/{moment}")), moment)
        assert processes_of(tmp_path)
        process.kill()
        process.wait()
    assert_nothing_left(tmp_path)


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
