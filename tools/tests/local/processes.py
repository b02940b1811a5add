"""Commands in processes of their own, which must leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deployed import ROOT

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
def started(folder: Path, *arguments: str, root: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """Start a command of a project with its temporary files in `folder`, and make sure that it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=root,
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
