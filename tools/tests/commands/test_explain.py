"""The command `explain`, against the embedded AWS: its sentence agrees with what became of each record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.explain import _find
from pipeline.commands.shared.context import Context
from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from pipeline.questions.explain import Evidence
from pipeline.terminal.screen import Screen
from tests.deployed import ROOT, STACK_NAME, DeployedStack

from ..conftest import Ran
from ..fake_aws import FakeAws
from ..stack.samples import record

Run = Callable[..., Ran]
SAMPLE = [json.loads(line) for line in (ROOT / "events/records.jsonl").read_text().splitlines()]


@pytest.fixture
def began(stack: DeployedStack, embedded: DeployedStack) -> str:
    """When the test began: what earlier tests logged is older."""
    time.sleep(0.01)
    return datetime.now(UTC).isoformat()


def shown_id(document: Any) -> str:
    found = document.get("id") if isinstance(document, dict) else document
    return found if isinstance(found, str) else json.dumps(found)


def explained(began: str, *ids: str) -> list[Evidence]:
    """Explain ids as the command does, by one context."""
    context = Context(STACK_NAME, None, None, Screen())
    since = int(datetime.fromisoformat(began).timestamp() * 1000)
    return [_find(context, one, since) for one in ids]


@pytest.mark.parametrize("batch", [False, True])
def test_it_agrees_with_the_fates_of_all_sample_lines(
    embedded: DeployedStack, operate: Run, began: str, batch: bool
) -> None:
    embedded.submit(*([SAMPLE] if batch else SAMPLE))
    embedded.drain()
    told = dict(zip(map(shown_id, SAMPLE), explained(began, *map(shown_id, SAMPLE)), strict=True))
    stored = {item.id for item in embedded.items()}
    assert {name for name, evidence in told.items() if evidence.items} == stored
    assert len(stored) == 18
    for name, evidence in told.items():
        if name in stored:
            assert evidence.sentence.startswith("stored once, at "), name
            assert ("record stored" in [one.what for one in evidence.moments]) == (not batch)
        else:
            assert evidence.sentence.startswith("waits as a dead letter of the validator: Invalid data: "), name
    ran = operate("explain", "order-2902", "--since", began)
    assert ran.code == 1
    assert ran.out.endswith("order-2902: waits as a dead letter of the validator: Invalid data: missing data field.\n")


def test_duplicates_and_a_redrive_are_told_apart(embedded: DeployedStack, operate: Run, began: str) -> None:
    embedded.reset(QueueOptions(Clock(0.01), Faults(duplicate=True)))
    embedded.submit(record(71))
    embedded.drain()
    (twice,) = explained(began, "r-71")
    assert [one.what for one in twice.moments if one.where == "validator"] == [
        "record accepted",
        "record accepted (delivered again)",
    ]
    embedded.aws.restart_queue(QueueOptions(Clock(0.01)))
    embedded.submit(record(71, data="other"))
    embedded.drain()
    ran = operate("explain", "r-71", "--since", began, "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["stored"]) == (0, True)
    assert "another record of this id waits as a dead letter of the processor" in told["sentence"]
    refused = [one["what"] for one in told["timeline"] if one["what"].startswith("record refused")]
    assert refused == ["record refused (sent again)", "record refused (attempt 2)", "record refused (attempt 3)"]
    key = {"id": {"S": "r-71"}, "timestamp": {"N": str(record(71)["timestamp"])}}
    embedded.client("dynamodb").delete_item(TableName=embedded.outputs.table, Key=key)
    assert operate("redrive", "--yes").code == 0
    embedded.drain()
    ran = operate("explain", "r-71", "--since", began)
    assert ran.code == 0
    assert "record stored (redriven)" in ran.out
    assert ran.out.splitlines()[-1].startswith("r-71: stored once, at ")


def test_an_id_that_never_came_is_never_seen_since_the_logs_are_kept(operate: Run, began: str) -> None:
    ran = operate("explain", "never-sent")
    assert ran.code == 1
    assert ran.out.startswith("never-sent: never seen since 20")
    told = json.loads(operate("explain", "never-sent", "--json", "--since", "1h").out)
    assert (told["timeline"], told["items"]) == ([], [])


def test_an_age_that_is_none_is_misuse(aws: FakeAws, operate: Run) -> None:
    ran = operate("explain", "r-1", "--since", "yesterday")
    assert ran.code == 2
    assert ran.error == "--since must be an age such as 90m, 12h or 7d, or a date (got 'yesterday')."


def test_a_file_that_rejected_a_record_is_named(
    embedded_with_files: DeployedStack, operate: Run, tmp_path: Path
) -> None:
    bucket = embedded_with_files.outputs.bucket
    rejected = {"line": 2, "reason": "missing data field", "content": '{"id": "r-81"}'}
    embedded_with_files.client("s3").put_object(
        Bucket=bucket, Key="rejected/orders.jsonl.jsonl", Body=json.dumps(rejected).encode()
    )
    ran = operate("explain", "r-81")
    assert ran.code == 1
    assert "r-81: refused in line 2 of orders.jsonl at 20" in ran.out
    assert ran.out.endswith(": missing data field.\n")
