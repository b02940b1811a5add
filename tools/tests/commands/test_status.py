"""The command `status`, and what it makes of an AWS that does not tell everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from pipeline.commands.status import describe, rows
from pipeline.questions.status import Concurrency, Oldest, Unknown, Version

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws
from ..questions.test_status import GOOD, HEALTHY
from ..stack.samples import record

Run = Callable[..., Ran]


def test_what_an_endpoint_does_not_offer_is_unknown_and_no_failure(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    ran = operate("status")
    assert ran.code == 0
    rows = dict(line.split("\t") for line in ran.out.splitlines() if "\t" in line)
    assert rows["stack"] == "UPDATE_COMPLETE in us-east-1"
    assert rows["dead letters"] == "1, 0 in a reader's hands"
    for what in ("alarms", "processor version", "processor provisioned", "processor failures", "items"):
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


def test_the_oldest_letter_is_told_by_the_letters_themselves(aws: FakeAws, operate: Run) -> None:
    now = int(time.time() * 1000)
    for hours in (1, 49, 3):
        aws.put(record(hours), sent=now - hours * 3_600_000 - 60_000)
    assert "oldest dead letter\t2 d 1 h, of 3 looked at" in operate("status").out
    assert 49 * 3600 + 50 <= json.loads(operate("status", "--json").out)["oldestDeadLetterSeconds"] < 49 * 3600 + 120
    assert (aws.visible, aws.calls["DeleteMessageBatch"]) == (3, 0)


def test_it_says_that_alarms_are_not_evaluated_elsewhere_than_on_aws(aws: FakeAws, operate: Run) -> None:
    assert "Alarms are not evaluated here: this is not Amazon's AWS." in operate("status").err


def test_a_healthy_stack_is_described_in_rows_and_in_json() -> None:
    assert dict(rows(HEALTHY)) == {
        "stack": "UPDATE_COMPLETE in us-east-1",
        "alarms": "0 of 1 are on",
        "dead letters": "0, 0 in a reader's hands",
        "oldest dead letter": "none",
        **{f"{stage} version": "7" for stage in HEALTHY.functions},
        **{f"{stage} provisioned": "2 wanted, 2 ready (READY)" for stage in HEALTHY.functions},
        **{f"{stage} concurrency": "at most 3 at once in the last hour, of 10 reserved" for stage in HEALTHY.functions},
        **{f"{stage} failures": "none" for stage in HEALTHY.functions},
        "account's concurrency": "at most 9 at once in the last hour, of 1000, 970 of them unreserved",
        "items": "12, as counted up to six hours ago",
    }
    described = describe(HEALTHY)
    assert json.loads(json.dumps(described)) == described
    assert described["oldestDeadLetterSeconds"] is None
    assert described["functions"]["processor"] == {
        "versions": [{"number": "7", "weight": 1.0}],
        "provisionedConcurrency": {"wanted": 2, "ready": 2, "state": "READY"},
        "reservedConcurrency": 10,
        "failures": {},
    }
    assert described["account"] == {"limit": 1000, "unreserved": 970}
    assert described["atOnce"] == {"account": 9, "validator": 3, "enricher": 3, "processor": 3}


def test_what_is_out_of_the_ordinary_is_described_too() -> None:
    odd = GOOD._replace(
        versions=(Version("7", 0.9), Version("8", 0.1)),
        concurrency=Concurrency(),
        reserved=None,
        failures={"timeout": 2, "out of memory": 1},
    )
    health = HEALTHY._replace(
        functions={"processor": odd},
        at_once=Unknown("denied"),
        oldest=Oldest(3 * 3600 + 120, 1000),
        account=Unknown("x"),
    )
    shown = dict(rows(health))
    assert shown["oldest dead letter"] == "3 h 2 min, of 1000 looked at"
    assert shown["processor version"] == "7 (90%), 8 (10%)"
    assert shown["processor provisioned"] == "none"
    assert shown["processor concurrency"] == "unknown, of the account's"
    assert shown["processor failures"] == "2 x timeout, 1 x out of memory"
    assert shown["account's concurrency"] == "unknown, unknown"
    assert describe(health)["oldestDeadLetterSeconds"] == 10920
