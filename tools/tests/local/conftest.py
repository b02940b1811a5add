"""What tests of the embedded AWS share: MiniStack without what is added here, to see when an addition can go."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import boto3
import pytest

from pipeline.local.embedded.environment import HOST, base, for_ministack
from pipeline.local.embedded.process import EmbeddedAws, Options

NOBODY = 65534


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    """Start an embedded AWS with nothing in it."""
    with EmbeddedAws(Options()) as running:
        yield running


@pytest.fixture
def as_nobody() -> Callable[[str, Any], str]:
    """Return what runs code as another user, with a document on its standard input, and returns what it printed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def run(python: str, code: str, given: Any = None) -> str:
        return subprocess.run(
            [python, "-I", "-c", code], input=json.dumps(given), user=NOBODY, group=NOBODY, cwd="/",
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    for found in (sys._base_executable, "/usr/local/bin/python3", "/usr/bin/python3"):  # type: ignore[attr-defined]
        with suppress(OSError, subprocess.CalledProcessError):
            run(found, "import ssl")
            return partial(run, found)
    pytest.skip("no interpreter is there that another user may run")


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Start MiniStack alone, and return what makes clients of it."""
    folder = tmp_path_factory.mktemp("ministack")
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    known = {"AWS_ACCESS_KEY_ID": "owner", "AWS_SECRET_ACCESS_KEY": "secret"}
    environment = base(folder) | for_ministack(known, folder, port) | {"USE_SSL": "0", "PYTHONPATH": ""}
    with subprocess.Popen(
        [sys.executable, "-m", "ministack"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield lambda service, *key: boto3.client(  # type: ignore[call-overload]
                service,
                region_name="us-east-1",
                endpoint_url=f"http://{HOST}:{port}",
                aws_access_key_id=(key or tuple(known.values()))[0],
                aws_secret_access_key=(key or tuple(known.values()))[1],
                aws_session_token=key[2] if key else None,
            )
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((HOST, port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return
