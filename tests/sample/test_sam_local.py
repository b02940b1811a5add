"""`sam local invoke` with the sample events: each function in its container, the processor against the embedded AWS."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.deploy import build, deploy
from pipeline.local.embedded.environment import for_tools
from pipeline.local.embedded.process import EmbeddedAws, Options
from pipeline.stack import Stack
from tests.deployed import ROOT, read_items

IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
ENV_VARS = ROOT / "events" / "env.json"
PORT = 4566
"""The port that ENV_VARS names."""


def missing() -> str | None:
    """Say what is missing for containers, if anything."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
        return f"the image {IMAGE} is not here"
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", PORT)):
            return f"port {PORT}, which events/env.json names, is busy"
    return None


def bridge() -> tuple[str, ...]:
    """Return this machine's address on Docker's network; elsewhere than on Linux, Docker forwards to the loopback."""
    if sys.platform != "linux":
        return ()
    inspected = subprocess.run(["docker", "network", "inspect", "bridge"], capture_output=True, check=True).stdout
    config = json.loads(inspected)[0]["IPAM"]["Config"][0]
    return (config.get("Gateway") or str(ipaddress.ip_network(config["Subnet"])[1]),)


@pytest.fixture(scope="module")
def containers() -> Iterator[tuple[EmbeddedAws, Stack, Path]]:
    """Deploy to an embedded AWS that containers reach, and build with its authority in the package."""
    if reason := missing():
        pytest.skip(reason)
    with EmbeddedAws(Options(PORT, bridge())) as aws:
        template = build(aws.workspace, root=ROOT)
        stack = deploy(aws, template, root=ROOT)
        for package in template.parent.glob("*Function"):
            shutil.copy(aws.environment["AWS_CA_BUNDLE"], package / "ca.pem")
        yield aws, stack, template


def invoke(containers: tuple[EmbeddedAws, Stack, Path], function: str, event: str) -> Any:
    aws, stack, template = containers
    kept = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "samcli", "local", "invoke", function, "--template-file", str(template)),
            *("--event", str(ROOT / "events" / event), "--env-vars", str(ENV_VARS)),
            *("--add-host", "host.docker.internal:host-gateway", "--skip-pull-image"),
            *("--parameter-overrides", "Architecture=x86_64"),
        ],
        cwd=ROOT,
        env=for_tools(aws.environment, aws.workspace.folder("tmp")) | {"TABLE_NAME": stack.table} | kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_validator_passes_a_good_record(containers: tuple[EmbeddedAws, Stack, Path]) -> None:
    assert invoke(containers, "ValidatorFunction", "valid.json")["valid"] is True


def test_the_validator_refuses_a_record_without_data(containers: tuple[EmbeddedAws, Stack, Path]) -> None:
    answer = invoke(containers, "ValidatorFunction", "missing-data.json")
    assert answer["errorMessage"] == "Invalid data: missing data field"


def test_the_enricher_marks_the_record(containers: tuple[EmbeddedAws, Stack, Path]) -> None:
    assert invoke(containers, "EnricherFunction", "validated.json")["enriched"] is True


def test_the_processor_writes_to_the_embedded_aws(containers: tuple[EmbeddedAws, Stack, Path]) -> None:
    aws, stack, _ = containers
    assert invoke(containers, "ProcessorFunction", "enriched.json") == {"statusCode": 200, "body": "Success"}
    assert [item.enriched_by for item in read_items(aws.client("dynamodb"), stack.table)] == [
        "1.0"
    ]  # as events/enriched.json has it
