"""Batches through the deployed pipeline: each record is stored once or is a dead letter, whatever the batch holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.asynchronous import Clock, QueueOptions
from tests.deployed import DeployedStack
from tools.tests.local.fed import run
from tools.tests.local.lambdas import allow, policy

QUICK = QueueOptions(Clock(0.01))
"""Retries without much waiting."""


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1700000000000 + number, "data": {"n": number}, **fields}


@pytest.fixture
def stack(stack: DeployedStack) -> DeployedStack:
    stack.reset(QUICK)
    return stack


@contextmanager
def denied(stack: DeployedStack, stage: str, *actions: str) -> Iterator[None]:
    """Take actions away from a stage's role, for a while."""
    function = stack.client("lambda").get_function_configuration(FunctionName=stack.outputs.aliases[stage])
    iam, role = stack.client("iam"), function["Role"].rpartition("/")[2]
    document = policy(*(allow(action, "*", "Deny") for action in actions))
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


@pytest.mark.parametrize("size", [1, 26, 250])
def test_a_batch_of_any_size_is_one_event_and_each_record_is_stored(stack: DeployedStack, size: int) -> None:
    records = [record(number) for number in range(size)]
    stack.submit(records)
    assert {counts["SUCCESS"] for counts in stack.drain()["functions"].values()} == {1}
    assert {(item.id, item.timestamp, item.data, bool(item.enriched_by)) for item in stack.items()} == {
        (one["id"], one["timestamp"], json.dumps(one["data"], separators=(",", ":")), True) for one in records
    }


def test_lines_are_sent_so_many_in_an_event_and_judged_one_by_one(stack: DeployedStack, tmp_path: Path) -> None:
    lines = [record(1), {"id": "bad"}, record(2), record(3, data=None), {"id": "stamped", "data": 1}]
    document = run(stack, tmp_path, *lines, batch=2).document()
    assert (document["submitted"], document["events"], document["stored"], document["lost"]) == (5, 3, 3, 0)
    assert [(dead["line"], dead["id"], dead["stage"]) for dead in document["dead_letters"]] == [
        (2, "bad", "validator"),
        (4, "r3", "validator"),
    ]
    assert {dead["reason"] for dead in document["dead_letters"]} == {"Invalid data: missing data field"}


def test_of_a_batch_of_bad_records_each_is_a_dead_letter_and_the_later_stages_take_nothing(
    stack: DeployedStack, tmp_path: Path
) -> None:
    report = run(stack, tmp_path, *({"id": f"bad{number}"} for number in range(12)), batch=12)
    assert report.problems == ["nothing was stored"]
    assert len(report.document()["dead_letters"]) == 12
    assert {counts["SUCCESS"] for counts in report.queue["functions"].values()} == {1}


def test_the_same_record_twice_in_a_batch_is_stored_once_without_a_letter(stack: DeployedStack, tmp_path: Path) -> None:
    report = run(stack, tmp_path, record(1), record(2), record(1), batch=3)
    assert (report.document()["stored"], len(stack.items()), report.document()["dead_letters"]) == (3, 2, [])


def test_of_two_records_of_one_key_one_is_stored_and_one_is_a_letter_of_the_processor(
    stack: DeployedStack, tmp_path: Path
) -> None:
    report = run(stack, tmp_path, record(1), record(1, data="other"), record(2), batch=3)
    (dead,) = report.document()["dead_letters"]
    assert (dead["line"], dead["stage"]) == (2, "processor")
    assert dead["reason"] == "Invalid data: another record with the same id and timestamp is stored"
    assert {item.data for item in stack.items()} == {'{"n":1}', '{"n":2}'}


def test_an_unenriched_copy_of_an_enriched_record_changes_nothing(stack: DeployedStack, tmp_path: Path) -> None:
    run(stack, tmp_path, record(1), record(2), batch=2)
    before = stack.items()
    alone = stack.client("lambda").invoke(
        FunctionName=stack.outputs.aliases["processor"], Payload=json.dumps([record(1), record(2), record(3)])
    )
    assert json.load(alone["Payload"]) == {"statusCode": 200, "body": "Success"}
    after = {item.id: item for item in stack.items()}
    assert [after[item.id].fields for item in before] == [item.fields for item in before]
    assert after["r3"].enriched_by is None


def test_records_of_nearly_400_kb_are_stored_by_a_batch_too(stack: DeployedStack) -> None:
    large = [record(number, data="x" * 408_000) for number in (1, 2)]
    stack.client("lambda").invoke(
        FunctionName=stack.outputs.aliases["processor"], InvocationType="Event", Payload=json.dumps(large)
    )
    stack.drain()
    assert sorted((item.id, len(item.data)) for item in stack.items()) == [("r1", 408_002), ("r2", 408_002)]
    assert stack.failures() == []


def test_a_batch_too_large_to_hand_on_is_one_letter_that_accounts_for_each_of_its_records(
    stack: DeployedStack, tmp_path: Path
) -> None:
    batch = [record(number, data="x" * 250_000) for number in (1, 2, 3)]
    dead = run(stack, tmp_path, batch, record(4)).document()["dead_letters"]
    assert [(one["line"], one["id"], one["stage"]) for one in dead] == [(1, f"r{n}", "validator") for n in (1, 2, 3)]
    assert all("send fewer records at once" in one["reason"] for one in dead)
    assert len(stack.failures()) == 1


def test_where_the_table_denies_writes_the_whole_batch_is_one_letter_and_no_line_is_lost(
    stack: DeployedStack, tmp_path: Path
) -> None:
    with denied(stack, "processor", "dynamodb:PutItem", "dynamodb:PartiQLInsert"):
        report = run(stack, tmp_path, *map(record, range(5)), batch=5)
    assert report.problems == ["nothing was stored"]
    dead = report.document()["dead_letters"]
    assert {(one["stage"], "AccessDenied" in one["reason"]) for one in dead} == {("processor", True)}
    assert [one["line"] for one in dead] == [1, 2, 3, 4, 5]
    assert len(stack.failures()) == 1


def test_where_the_queue_takes_no_letters_nothing_is_handed_on_and_the_losses_are_said(
    stack: DeployedStack, tmp_path: Path
) -> None:
    with denied(stack, "validator", "sqs:SendMessage"):
        report = run(stack, tmp_path, record(1), {"id": "bad"}, batch=2)
    assert stack.items() == []
    assert "2 records were submitted, but 0 stored + 0 dead leave 2 lost" in report.problems
    (loss,) = report.queue["losses"]
    assert (loss["metric"], "sqs:SendMessage" in loss["reason"]) == ("DeadLetterErrors", True)


def test_where_the_queue_takes_no_letters_for_a_moment_the_event_is_repeated(stack: DeployedStack) -> None:
    stack.reset(QueueOptions(Clock(1)))
    with denied(stack, "enricher", "sqs:SendMessage"):
        stack.client("lambda").invoke(
            FunctionName=stack.outputs.aliases["enricher"],
            InvocationType="Event",
            Payload=json.dumps([record(1), {"id": "bad"}]),
        )
        wait_for_failure(stack, "enricher")
    stack.drain()
    assert [item.id for item in stack.items()] == ["r1"]
    (failure,) = stack.failures()
    assert (failure.letter.event, failure.letter.error) == ({"id": "bad"}, "Invalid data: missing data field")


def wait_for_failure(stack: DeployedStack, stage: str) -> None:
    """Wait for a stage's first failed attempt."""
    deadline = time.monotonic() + 30
    while not stack.aws.queue_state()["functions"].get(stack.function(stage), {}).get("FUNCTION_ERROR"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
