"""A copy of the project that its owner has made theirs: its commands, its other tests and the recipes work."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.stack.yaml_text import parse
from tools.tests.copies import ROOT, copy_project
from tools.tests.local.processes import DEADLINE, assert_nothing_left, eventually, started
from tools.tests.rules.linting import found, runner

from . import changes

pytestmark = pytest.mark.xdist_group("recipes")  # the copy is made once

BIN = Path(sys.executable).parent
STACK = "orders-dev"
# What `make lint` runs, but for cfn-lint, which runs in this process, and `sam validate`, which finds what that or the
# deployment finds.
LINT = [
    "ruff check --quiet --no-cache",
    "ruff format --check --quiet --no-cache",
    "mypy",
    "python generate.py --check",
    "python generate.py --check --diagram",
]
# Of the tests outside tests/sample, those that see the changes; CONTRIBUTING.md says when the others are run.
TESTS = [
    *("tests/test_project.py", "tools/tests/project/test_runbook.py"),
    *("tests/functions/test_stage.py", "tests/functions/test_record.py", "tests/functions/test_validator.py"),
    *("tests/model/test_stack.py", "tests/model/stages/test_function.py", "tests/model/test_tags.py"),
    *(
        "tests/model/test_project.py",
        "tests/model/watching/test_alarms.py",
        "tools/tests/generated/test_diagram.py",
        "tests/test_auditor.py",
    ),
]
EXPECTED = {
    "ValidatorFunction -->|on success| AuditorFunction",
    "KeeperFunction -->|PutItem| LatestTable",
    "ArchiverFunction -->|PutObject| ArchiveBucket",
    "producer -->|messages| IntakeQueue",
    "IntakeQueue -->|each message| IntakeFunction",
    "IntakeFunction -->|InvokeFunction| ValidatorFunction",
}


def run(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project's environment in a folder."""
    program, *arguments = shlex.split(command)
    return subprocess.run(
        [BIN / program, *arguments],
        cwd=folder,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with another name, without the sample's stage, with all that the recipes add, and other sizes and tags."""
    copy = changes.make(copy_project(tmp_path_factory.mktemp("mine")), [*changes.SMALL, *changes.RECIPES])
    if (cache := ROOT / ".mypy_cache").exists():
        shutil.copytree(cache, copy / cache.name)
    for options in ("--name orders", "--diagram"):
        done = run(copy, f"python generate.py {options}")
        assert done.returncode == 0, done.stderr
    return copy


@pytest.mark.parametrize("command", LINT)
def test_the_copy_passes_what_make_lint_runs(copy: Path, command: str) -> None:
    done = run(copy, command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_the_mechanism_pass_on_the_copy(copy: Path) -> None:
    done = run(copy, f"python -m pytest -q -p no:cacheprovider -k 'not test_any_json_data' {' '.join(TESTS)}")
    assert done.returncode == 0, done.stdout


def test_the_template_of_the_copy_has_no_findings(copy: Path) -> None:
    assert found(parse((copy / "template.yaml").read_text()), runner().rules) == set()


def test_what_was_added_is_in_the_picture(copy: Path) -> None:
    picture = (copy / "README.md").read_text()
    assert {edge for edge in EXPECTED if edge not in picture} == set()


class Up:
    """The copy on an embedded AWS of its own, and the environment that leads there."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.session = boto3.session.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        described = self.client("cloudformation").describe_stack_resources(StackName=STACK)
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in described["StackResources"]}

    def client(self, service: str) -> Any:
        return self.session.client(
            service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], verify=self.environment["AWS_CA_BUNDLE"]
        )

    def items(self, table: str, **query: Any) -> list[dict[str, Any]]:
        """Read a table, or query it."""
        client = self.client("dynamodb")
        read = client.query if query else client.scan
        items: list[dict[str, Any]] = read(TableName=self.ids[table], **query)["Items"]
        return items


@pytest.fixture(scope="module")
def up(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    with started(folder, "up", "--minute", "0", root=copy) as process:
        yield Up(copy, exports(process))
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
    assert_nothing_left(folder)


def exports(process: subprocess.Popen[str]) -> dict[str, str]:
    """Read the export lines, as a shell would."""
    assert process.stdout
    found: dict[str, str] = {}
    while "TABLE_NAME" not in found:
        line = process.stdout.readline()
        assert line.startswith("export "), line
        (assignment,) = shlex.split(line.removeprefix("export "))
        found |= [assignment.split("=", 1)]
    return found


def test_a_message_in_the_queue_is_stored_with_its_field_kept_as_the_latest_and_archived(up: Up) -> None:
    for timestamp in (1, 5, 3):
        record = {"id": "a", "timestamp": timestamp, "data": {"n": timestamp}, "source": "shop"}
        up.client("sqs").send_message(QueueUrl=up.ids["IntakeQueue"], MessageBody=json.dumps(record))
    eventually(lambda: len(up.items("DataTable")) == 3, "three records")
    assert {item["source"]["S"] for item in up.items("DataTable")} == {"shop"}
    assert [item["timestamp"]["N"] for item in up.items("LatestTable")] == ["5"]
    objects = up.client("s3").list_objects_v2(Bucket=up.ids["ArchiveBucket"])["Contents"]
    assert [one["Key"] for one in objects] == ["a/1.json", "a/3.json", "a/5.json"]
    found = up.items(
        "DataTable",
        IndexName="by-source",
        KeyConditionExpression="#source = :shop",
        ExpressionAttributeNames={"#source": "source"},
        ExpressionAttributeValues={":shop": {"S": "shop"}},
    )
    assert len(found) == 3


MANY = 3000
"""Lines, more than a run gets through before it is interrupted."""


def test_a_run_beside_it_that_is_interrupted_reports_what_was_done(up: Up, tmp_path: Path) -> None:
    folder, records, report = tmp_path / "tmp", tmp_path / "records.jsonl", tmp_path / "report.json"
    folder.mkdir()
    records.write_text(
        "".join(json.dumps({"id": f"r{n}", "timestamp": 1, "data": {"n": n}}) + "\n" for n in range(MANY))
    )
    before = up.items("DataTable")
    with started(folder, "run", str(records), "--report", str(report), root=up.folder) as process:
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
    assert document["enriched_by"] == {}
    assert_nothing_left(folder)
    assert up.items("DataTable") == before


def test_a_record_goes_through_the_copy_with_all_that_the_recipes_add(up: Up) -> None:
    done = run(up.folder, "pipeline smoke", **up.environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_is_seen_after_the_commands_of_the_loop(up: Up) -> None:
    text = (ROOT / "docs/extending.md").read_text()
    lines = [line for name in ("loop", "look") for line in commands(text, name)]
    changes.edit(up.folder / "functions/auditor.py", at="^LIMIT = .*$", put="LIMIT = 100")
    # The AWS CLI is not everywhere.
    printed = {command: in_shell(up, command) for command in lines if not command.startswith("aws ")}
    assert "total must be at most 100\n" in printed["pipeline dead-letters"]
    assert "record stored" in printed[f"sam logs --stack-name {STACK} --name ProcessorFunction"]


def commands(text: str, name: str) -> list[str]:
    """Return the commands of a block of the text."""
    (block,) = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", text, re.DOTALL)
    return [line.strip() for line in block.splitlines() if line.strip()]


def in_shell(up: Up, command: str) -> str:
    """Run a command as its reader would, and return what it printed when all events were worked off."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=up.folder,
        env={**os.environ, **up.environment, "PATH": f"{BIN}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    if " submit " in command:
        eventually(lambda: len(up.items("DataTable")) > 15, "the sample's records")
    return done.stdout
