"""docs/commands.md shows commands that work, and the exit codes that --help tells."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployed import ROOT

from .conftest import Ran
from .fake_aws import FakeAws
from .stack.samples import envelope, record

DOCUMENT = (ROOT / "docs" / "commands.md").read_text()
COMMANDS = re.findall(r"(?m)^pipeline (.+)$", DOCUMENT)


def test_there_are_commands_to_be_tested() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"status", "submit", "verify", "dead-letters", "redrive"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_shown_works(
    aws: FakeAws, operate: Callable[..., Ran], records: Callable[..., Path], command: str
) -> None:
    records(record(1), name="records.jsonl.rejected" if "rejected" in command else "records.jsonl")
    validated = envelope(record(2), {"valid": True, **record(2)})
    event = envelope(validated, {**record(2), "enriched": True}, stage="enricher")
    aws.put(event, of="processor", error="AccessDenied")
    aws.table["r-1", record(1)["timestamp"]] = '{"n":1}'
    assert operate(*shlex.split(command)).code == 0


def test_the_exit_codes_are_those_that_help_tells(operate: Callable[..., Ran]) -> None:
    shown = dict(re.findall(r"(?m)^\| (\d+) \| (.*) \|$", DOCUMENT))
    told = dict(re.findall(r"(?m)^\s+(\d+)\s+(.*)$", operate("redrive", "--help").out))
    assert shown == told
    assert set(shown) == {"0", "1", "2", "3", "130"}


def test_the_outcomes_in_the_help_of_verify_have_a_line_each(operate: Callable[..., Ran]) -> None:
    help_text = operate("verify", "--help").out
    outcomes = ("stored", "dead letter", "refused", "different", "missing", "unknown")
    assert [line for line in outcomes if not re.search(rf"(?m)^ +{line}  ", help_text)] == []
