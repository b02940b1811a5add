"""The command `plan`, against the embedded AWS: each finding planted, and none where nothing changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.questions.plan import Code
from tests.deployed import DeployedStack
from tests.own import pipeline

from ..conftest import Ran, put_letters
from ..stack.samples import record

Run = Callable[..., Ran]
Found = set[tuple[str, str]]
PROJECT = Path("project")
STAGES = ("data-processing-validator-dev", "data-processing-enricher-dev", "data-processing-processor-dev")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pipeline.write(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(
    stack: DeployedStack, embedded: DeployedStack, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Change the project that is deployed: its template's text, the parameters of its default environment."""
    folder = shutil.copytree(written, tmp_path / "project")
    monkeypatch.chdir(folder)

    def change(*edits: tuple[str, str], **parameters: str) -> Path:
        template, settings = folder / "template.yaml", folder / "samconfig.toml"
        text = template.read_text()
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        template.write_text(text)
        given = "".join(f" {name}={value}" for name, value in parameters.items())
        settings.write_text(settings.read_text().replace('Concurrency=0"', f'Concurrency=0{given}"', 1))
        return folder

    return change


@pytest.fixture
def planned(operate: Run) -> Callable[..., Found]:
    """Run the command, and return what it finds, of what."""

    def run(*arguments: str) -> Found:
        ran = operate("plan", "--json", *arguments)
        found = json.loads(ran.out)
        assert ran.code == bool(found), ran.err
        assert all(set(one) == {"finding", "resource", "what", "do"} and all(one.values()) for one in found)
        return {(one["finding"], one["resource"]) for one in found}

    return run


def test_an_unchanged_project_finds_nothing(
    project: Callable[..., Path], operate: Run, planned: Callable[..., Found]
) -> None:
    assert planned() == set()
    ran = operate("plan")
    assert (ran.code, ran.out) == (0, "Deploying to data-processing-dev leaves everything where it is.\n")


SHORT = ("Destination: !Ref EnricherFunction.Alias", "Destination: !Ref ProcessorFunction.Alias")


@pytest.mark.parametrize(
    ("edits", "parameters", "found"),
    [
        ([("KeyType: RANGE", "KeyType: HASH")], {}, {("data-left-behind", "DataTable")}),
        ([("  DataTable:\n", "  Records:\n")], {}, {("data-left-behind", "DataTable")}),
        (
            [("MessageRetentionPeriod: 1209600", "FifoQueue: true")],
            {},
            {("data-left-behind", "DeadLetterQueue")},
        ),
        ([("  EnricherFunction:\n", "  MarkerFunction:\n"), SHORT], {}, {("stage-goes", STAGES[1])}),
        ([], {"EnvironmentSuffix": "test"}, {("stage-goes", name) for name in STAGES}),
        ([], {"Architecture": "arm64"}, {("not-live", name) for name in STAGES}),
        (
            [("MemorySize: 768", "MemorySize: 1024")],
            {"Architecture": "arm64"},
            {("not-live", name) for name in (STAGES[0], STAGES[2])},
        ),
        ([], {"ReservedConcurrency": "400"}, {("quota", "account")}),
        ([], {"ReservedConcurrency": "300"}, set()),
        ([], {"LogRetentionDays": "30", "DeploymentAttempt": "2"}, set()),
    ],
)
def test_what_is_changed_in_the_project_is_found(
    project: Callable[..., Path],
    planned: Callable[..., Found],
    edits: list[tuple[str, str]],
    parameters: dict[str, str],
    found: Found,
) -> None:
    project(*edits, **parameters)
    assert planned() == found


def test_a_change_of_the_code_brings_other_changes_to_live(
    project: Callable[..., Path], planned: Callable[..., Found]
) -> None:
    folder = project(Architecture="arm64")
    (folder / "functions/enricher.py").write_text("VERSION = 2\n")
    assert planned() == set()


def test_a_key_is_found_beside_what_it_keeps_from_live(
    project: Callable[..., Path], planned: Callable[..., Found]
) -> None:
    project(KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000")
    assert planned() == {("key-added", "KmsKeyArn"), *(("not-live", name) for name in STAGES)}


def test_letters_wait_while_the_order_changes(
    stack: DeployedStack, project: Callable[..., Path], planned: Callable[..., Found]
) -> None:
    put_letters(stack, record(1))
    assert planned() == set()
    project(SHORT)
    assert planned() == {("letters-wait", "DeadLetterQueue")}


def test_an_alarm_that_is_on_is_found_unless_it_is_allowed(
    stack: DeployedStack, project: Callable[..., Path], planned: Callable[..., Found]
) -> None:
    name = "data-processing-dlq-messages-dev"
    client = stack.client("cloudwatch")
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="as the test asked")
    try:
        assert planned() == {("alarm-on", name)}
        assert planned("--allow", "alarm-on") == set()
    finally:
        client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="as the test asked")


@pytest.fixture
def left_version(stack: DeployedStack) -> Iterator[str]:
    """A version that the stack does not know of, as a rollback leaves one; it equals the one that is deployed."""
    client, name = stack.client("lambda"), STAGES[1]
    config = client.get_function_configuration(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Description="another")
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, Description=config["Description"])
    number: str = client.publish_version(FunctionName=name)["Version"]
    alias = client.get_alias(FunctionName=name, Name="live")
    assert int(number) > int(alias["FunctionVersion"])
    yield number
    client.update_alias(FunctionName=name, Name="live", FunctionVersion=alias["FunctionVersion"], RoutingConfig={})
    for one in (number, str(int(number) - 1)):
        client.delete_function(FunctionName=name, Qualifier=one)


def test_a_version_that_a_rollback_left_is_found_if_it_equals_the_next(
    project: Callable[..., Path], planned: Callable[..., Found], left_version: str
) -> None:
    assert planned() == {("equal-version", STAGES[1])}
    project(DeploymentAttempt="2")
    assert planned() == set()


def test_an_alias_that_is_split_or_was_moved_by_hand_is_found(
    stack: DeployedStack, project: Callable[..., Path], planned: Callable[..., Found], left_version: str
) -> None:
    project(DeploymentAttempt="2")
    client, live = stack.client("lambda"), {"FunctionName": STAGES[1], "Name": "live"}
    client.update_alias(**live, RoutingConfig={"AdditionalVersionWeights": {left_version: 0.1}})
    assert planned() == {("alias-split", STAGES[1])}
    client.update_alias(**live, FunctionVersion=left_version, RoutingConfig={})
    assert planned() == {("not-live", STAGES[1])}


def test_a_first_deployment_is_asked_for_the_quota_alone(
    project: Callable[..., Path], planned: Callable[..., Found]
) -> None:
    project()
    assert planned("--config-env", "prod") == set()


def test_an_environment_without_a_stack_is_misuse(project: Callable[..., Path], operate: Run) -> None:
    ran = operate("plan", "--config-env", "moon")
    assert ran.code == 2
    assert "stack_name in [moon.deploy.parameters]" in ran.error


def test_the_code_is_packed_as_the_sam_cli_packs_it(written: Path) -> None:
    from samcli.lib.package.utils import make_zip_with_lambda_permissions, zip_folder

    folder = written / "functions"
    with zip_folder(str(folder), make_zip_with_lambda_permissions) as (archive, checksum):
        size: Any = Path(archive).stat().st_size
    assert Code.of(folder) == (checksum, size)
