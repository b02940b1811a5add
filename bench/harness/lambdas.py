"""Measured functions: each a process of its runtime's interface client, as in Lambda, with the events of the bench."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from bench.harness.cpu import limited
from bench.harness.runtime_api import FunctionFailed, RuntimeApi


class MeasuredFunction(NamedTuple):
    """One function to measure: its runtime's command, its code, its event; the memory (MB) that it is told."""

    name: str
    command: tuple[str, ...]
    folder: Path
    event: object
    memory: int = 128
    timeout: int = 60
    environment: Mapping[str, str] = {}


class Started(NamedTuple):
    """A function that is ready for events: the seconds that its init took, and when its process was started."""

    api: RuntimeApi
    process: subprocess.Popen[bytes]
    began: float
    init: float
    log: IO[bytes]

    def invoke(self, function: MeasuredFunction) -> float:
        """Send the function's event; return the seconds until it answered."""
        return self.api.invoke(json.dumps(function.event).encode())

    def peak(self) -> float:
        """Return the most memory that the process had at once, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def used(self) -> float:
        """End the process; return the seconds of CPU that it took, all its threads together."""
        self.process.kill()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    def logged(self) -> bytes:
        """Return the function's log since it was last asked for."""
        return self.log.read()


@contextmanager
def started(function: MeasuredFunction, workspace: Path, cpus: float | None = None) -> Iterator[Started]:
    """Start a function, wait for the end of its init, and end its process in the end."""
    file = workspace / "log"
    # Opened twice: through one opening the function would write on from where the bench has read to.
    with limited(cpus) as prefix, RuntimeApi(function.timeout) as api, file.open("wb") as out, file.open("rb") as log:
        command, environment = [*prefix, *function.command], _environment(function, api.address)
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=function.folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            api.ready()
            yield Started(api, process, began, time.perf_counter() - began, log)
        except FunctionFailed as failure:
            raise FunctionFailed(f"{function.name}: {failure}\n{file.read_text(errors='replace')}") from None
        finally:
            process.kill()
            process.wait()


def _environment(function: MeasuredFunction, address: str) -> dict[str, str]:
    """Return what Lambda sets, and nothing of the caller's environment but the path to the commands."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": function.name.replace(" ", "-"),
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-usual-length-of-forty-ch",
        "AWS_SESSION_TOKEN": "t" * 800,  # as long as a role's
        "TABLE_NAME": "records",
        "LAMBDA_TASK_ROOT": str(function.folder),
        "_HANDLER": function.command[-1],
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folder of the code can't be written
        **function.environment,
    }


def package(folder: Path, *sources: Path) -> Path:
    """Copy handlers as a build does, later ones over earlier ones, without byte code."""
    for source in sources:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
