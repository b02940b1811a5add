"""The command `status`, and what it makes of an AWS that does not tell everything."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from operate.commands.status import describe
from operate.dead_letters.queue import Depth
from operate.status import Alarm, Concurrency, FunctionHealth, Health, Unknown, Version

from ...deployed.samples import STAGES, record, stack
from ..conftest import Ran
from ..fake_aws import Failure, FakeAws

Run = Callable[..., Ran]

GOOD = FunctionHealth((Version("7", 1.0),), Concurrency(2, 2, "READY"))
HEALTHY = Health(
    stack(), "us-east-1", (Alarm("errors", "OK", ""),), Depth(0, 0, 0), None, dict.fromkeys(STAGES, GOOD), 12
)


def test_what_an_endpoint_does_not_offer_is_unknown_and_no_failure(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    ran = operate("status")
    assert ran.code == 0
    rows = dict(line.split("\t") for line in ran.out.splitlines() if "\t" in line)
    assert rows["stack"] == "UPDATE_COMPLETE in us-east-1"
    assert rows["dead letters"] == "1, 0 in a reader's hands"
    for what in ("alarms", "oldest dead letter", "processor version", "processor provisioned", "items"):
        assert rows[what] == "unknown"
    assert "Unknown: AWS refused ListStackResources" in ran.err
    assert "1 dead letter waits" in ran.err


def test_what_is_unknown_is_null_in_json_with_the_reasons(aws: FakeAws, operate: Run) -> None:
    status = json.loads(operate("status", "--json").out)
    assert status["alarms"] is status["items"] is None
    assert status["deadLetters"] == {"visible": 0, "inFlight": 0}
    assert any("ListStackResources" in reason for reason in status["unknown"])


def test_a_queue_that_is_gone_is_unknown_too(aws: FakeAws, operate: Run) -> None:
    aws.always["GetQueueAttributes"] = Failure(400, "com.amazonaws.sqs#QueueDoesNotExist")
    ran = operate("status")
    assert ran.code == 0
    assert "queue that the stack names does not exist" in ran.err


def test_with_check_what_is_unknown_fails(aws: FakeAws, operate: Run) -> None:
    assert operate("status", "--check").code == 1


def test_a_healthy_stack_has_no_troubles() -> None:
    assert HEALTHY.troubles == HEALTHY.unknown == []
    assert describe(HEALTHY)["oldestDeadLetterSeconds"] is None


@pytest.mark.parametrize(
    ("health", "trouble"),
    [
        (HEALTHY._replace(alarms=(Alarm("errors", "ALARM", ""),)), "the alarm errors is on"),
        (HEALTHY._replace(queue=Depth(2, 1, 0)), "3 dead letters wait"),
        (
            HEALTHY._replace(
                functions={**HEALTHY.functions, "processor": GOOD._replace(concurrency=Concurrency(3, 1, ""))}
            ),
            "the processor has 1 of 3 instances ready",
        ),
    ],
)
def test_what_needs_attention_is_named(health: Health, trouble: str) -> None:
    assert health.troubles == [trouble]


def test_what_is_unknown_is_no_trouble() -> None:
    health = HEALTHY._replace(alarms=Unknown("a"), queue=Unknown("b"))
    assert (health.troubles, len(health.unknown)) == ([], 2)
