"""What tests of the embedded AWS share: MiniStack without what is added here, to see when an addition can go."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from pipeline.local.embedded.environment import HOST, base, for_ministack
from pipeline.local.embedded.process import EmbeddedAws, Options


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    """Start an embedded AWS with nothing in it."""
    with EmbeddedAws(Options()) as running:
        yield running


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
