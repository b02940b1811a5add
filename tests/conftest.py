"""What tests of every folder share: the stack, deployed once to an embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from deployed import ENTRY, Stack
from local.asynchronous import QueueOptions
from local.deploy import PARAMETERS, WITH_FILES, build, deploy
from local.embedded.process import ROOT, EmbeddedAws, Options
from local.results import Failure, Item, read_items, take_failures

# The same examples every time, so that a red run is red again; building junk can be slow on a busy machine.
settings.register_profile(
    "tests", max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

DEADLINE = 60
"""Seconds within which the queue drains."""


@dataclass(frozen=True)
class DeployedStack:
    """The deployed stack, and the embedded AWS that it is deployed to."""

    aws: EmbeddedAws
    outputs: Stack

    @property
    def entry(self) -> str:
        """The alias that records are submitted to."""
        return self.outputs.aliases[ENTRY]

    def function(self, stage: str) -> str:
        """Return the name of a stage's function."""
        function = self.outputs.stages[stage].function
        assert function
        return function.name

    @cached_property
    def client(self) -> Callable[[str], Any]:
        """Give boto3 clients with the owner's rights, made once: botocore reads a service's model anew for each."""
        return cache(self.aws.client)

    def submit(self, *events: object) -> None:
        """Send events to the validator, asynchronously."""
        client = self.client("lambda")
        for event in events:
            client.invoke(FunctionName=self.entry, InvocationType="Event", Payload=json.dumps(event))

    def drain(self) -> dict[str, Any]:
        """Wait until nothing is left in the queue, and return its state."""
        deadline = time.monotonic() + DEADLINE
        while (state := self.aws.queue_state())["open"]:
            assert time.monotonic() < deadline, f"the queue has not drained: {state}"
            time.sleep(0.05)
        return state

    def items(self) -> list[Item]:
        """Return what is stored."""
        return list(read_items(self.client("dynamodb"), self.outputs.table))

    def failures(self) -> list[Failure]:
        """Take the dead letters out of their queue."""
        return list(take_failures(self.client("sqs"), self.outputs))

    def reset(self, options: QueueOptions = QueueOptions()) -> None:  # noqa: B008 - a value
        """Empty the asynchronous queue, the table and the dead-letter queue."""
        self.aws.restart_queue(options)
        table = self.client("dynamodb")
        for page in table.get_paginator("scan").paginate(TableName=self.outputs.table):
            # Also what a test put there that is no record.
            keys = [{name: item[name] for name in ("id", "timestamp")} for item in page["Items"]]
            for start in range(0, len(keys), 25):
                requests = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + 25]]
                table.batch_write_item(RequestItems={self.outputs.table: requests})
        self.failures()


@contextmanager
def _deployed(parameters: Mapping[str, str], root: Path = ROOT) -> Iterator[DeployedStack]:
    aws = EmbeddedAws(Options())
    aws.start()
    try:
        template = build(aws.workspace, root=root)
        aws.wait_until_ready()
        yield DeployedStack(aws, deploy(aws, template, root=root, parameters=parameters))
    finally:
        aws.end()


@pytest.fixture(scope="session")
def deployed_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """Deploy the tests' own pipeline, once for all tests."""
    from .own import pipeline  # the model takes a second, which few tests need

    with _deployed(PARAMETERS, pipeline.write(tmp_path_factory.mktemp("own"))) as stack:
        yield stack


@pytest.fixture(scope="session")
def deployed_stack_with_files() -> Iterator[DeployedStack]:
    """Deploy once, with the bucket of files, for all tests of it."""
    with _deployed(WITH_FILES) as stack:
        yield stack


@pytest.fixture
def stack_with_files(deployed_stack_with_files: DeployedStack) -> DeployedStack:
    """Return the stack with the bucket of files, all of it empty."""
    deployed_stack_with_files.reset()
    client = deployed_stack_with_files.client("s3")
    bucket = deployed_stack_with_files.outputs.bucket
    listed = client.list_object_versions(Bucket=bucket)
    for one in (*listed.get("Versions", []), *listed.get("DeleteMarkers", [])):
        client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    return deployed_stack_with_files


@pytest.fixture
def stack(deployed_stack: DeployedStack) -> DeployedStack:
    """Return the deployed stack, empty."""
    deployed_stack.reset()
    return deployed_stack


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the deployed stack together, so that parallel workers deploy it once."""
    for item in items:
        for deployed in ("deployed_stack", "deployed_stack_with_files"):
            if deployed in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(deployed))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test was skipped without a reason."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = terminal.stats.get("skipped", []) if terminal else []
    unreasoned = [report.nodeid for report in skipped if not _reason(report)]
    if unreasoned:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        terminal.write_line(f"skipped without a reason: {', '.join(unreasoned)}", red=True)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped").removeprefix(":").strip().replace("unconditional skip", "")
