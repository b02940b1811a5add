"""What tests of every folder share: the stack, deployed once to an embedded AWS."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pipeline.local.deploy import PARAMETERS, WITH_FILES
from tests.deployed import ROOT, DeployedStack, deployed

# The same examples every time, so that a red run is red again; building junk can be slow on a busy machine.
settings.register_profile(
    "tests", max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

# Behind nohup or in the background it is ignored, and the commands that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Use one worker more than there are cores, since one waits for its stack while the others compute."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def deployed_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """Deploy the tests' own pipeline, once for all tests."""
    from tests.own import pipeline  # the model takes a second, which few tests need

    with deployed(PARAMETERS, pipeline.write(tmp_path_factory.mktemp("own"))) as stack:
        yield stack


@pytest.fixture(scope="session")
def deployed_stack_with_files() -> Iterator[DeployedStack]:
    """Deploy once, with the bucket of files, for all tests of it."""
    with deployed(WITH_FILES, ROOT) as stack:
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
        for fixture in ("deployed_stack", "deployed_stack_with_files"):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(fixture))


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
