"""What the commands print with `--json`: one document, with all lines that are named."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands import COMMANDS, cli
from tests.deployed import ROOT, DeployedStack

from ..conftest import Ran, put_letters
from ..fake_aws import Failure, FakeAws
from ..stack.samples import record

Run = Callable[..., Ran]
Write = Callable[..., Path]


def document(ran: Ran, code: int) -> dict[str, Any]:
    assert (ran.code, ran.err) == (code, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "invoke"])  # which prints nothing but JSON
def test_every_command_takes_it(name: str) -> None:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command
    assert "--json" in [option for parameter in command.params for option in parameter.opts]


def test_a_submission_tells_its_counts(aws: FakeAws, operate: Run, records: Write) -> None:
    told = document(operate("submit", records(record(1), "no JSON"), "--json", "--timestamp", "now"), 1)
    assert (told["accepted"], told["accepted_before"], told["rejected"]) == (1, 0, 1)
    assert any("Line 2 was not accepted" in note for note in told["notes"])


def test_a_verification_names_all_lines(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.put(record(0), error="it failed")
    told = document(operate("verify", records(*map(record, range(100)), "no JSON"), "--json"), 1)
    assert (told["stored"], told["lost"], told["refused"], told["different"]) == (0, 99, 1, 0)
    assert [one["line"] for one in told["lost_lines"]] == list(range(2, 101))
    assert [one["line"] for one in told["refused_lines"]] == [101]
    assert [one["reason"] for one in told["dead_letters"]] == ["it failed"]


def test_a_redrive_names_all_letters_that_it_leaves(aws: FakeAws, operate: Run) -> None:
    for number in range(30):
        aws.put(record(number), of="nobody")
    aws.put(record(40))
    told = document(operate("redrive", "--yes", "--json"), 1)
    assert (told["sent_again"], told["of_no_known_stage"], len(told["left"])) == (1, 30, 30)
    assert told["left"][0].keys() == {"message_id", "stage", "id", "verdict", "reason"}
    dry = document(operate("redrive", "--dry-run", "--json"), 0)
    assert dry["would_be_left"] == [{"because": "of no known stage", "letters": 30}]


def names(value: Any) -> set[str]:
    """The names of all members, but for those of records and events."""
    if isinstance(value, list):
        return set[str]().union(*map(names, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(names(one) for name, one in value.items() if name not in ("event", "record")))


def test_names_are_written_alike_everywhere(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.put(record(1), of="nobody")
    path = records(record(1))
    for command in (["status"], ["dead-letters"], ["redrive", "--yes"], ["submit", path], ["verify", path]):
        found = names(json.loads(operate(*command, "--json").out))
        assert found
        assert not [name for name in found if not re.fullmatch("[a-z]+(_[a-z]+)*", name)]


def test_an_error_is_no_document(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.always["GetQueueAttributes"] = Failure(403, "AccessDenied")
    ran = operate("verify", records(record(1)), "--json")
    assert (ran.code, ran.out) == (3, "")
    assert "denies" in ran.error


def test_an_upload_tells_its_files(aws: FakeAws, operate: Run, records: Write) -> None:
    aws.add_bucket()
    told = document(operate("upload", records(record(1)), "--json"), 0)
    assert "1 file is in" in told["notes"][0]


def test_records_are_mended_as_the_runbook_says(stack: DeployedStack, embedded: DeployedStack, operate: Run) -> None:
    """By its own commands."""
    (commands,) = re.findall(r"<!-- mending -->\n```sh\n(.*?)```", (ROOT / "docs/runbook.md").read_text(), re.DOTALL)
    stack.submit({"id": "m-1", "timestamp": 5}, record(2), {"id": "", "data": 1})
    stack.drain()
    put_letters(stack, record(3))
    for command in commands.splitlines():
        if command.startswith("pipeline "):
            ran = operate(*shlex.split(command)[1:])
            assert ran.code == 0, ran
        else:
            subprocess.run(["bash", "-ec", command], check=True)
    assert [item.data for item in stack.items() if item.id == "m-1"] == ['{"total":0}']
    errors = {json.loads(failure.letter.body)["id"] for failure in stack.failures()}
    assert errors == {"", "r-3"}
