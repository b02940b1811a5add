"""The command `status`, and what it makes of an AWS that does not tell everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from pipeline.commands.status import describe, rows
from pipeline.letters.queue import Depth
from pipeline.questions.functions import Concurrency, Traffic
from pipeline.questions.logs import Failures
from pipeline.questions.status import Waiting
from pipeline.questions.unknown import Unknown

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws
from ..questions.test_status import GOOD, HEALTHY, NINE
from ..stack.samples import record

Run = Callable[..., Ran]


def test_what_an_endpoint_does_not_offer_is_unknown_and_no_failure(aws: FakeAws, operate: Run) -> None:
    aws.put([record(1), record(2), record(3)])
    ran = operate("status")
    assert ran.code == 0
    rows = dict(line.split("\t") for line in ran.out.splitlines() if "\t" in line)
    assert rows["stack"] == "UPDATE_COMPLETE in us-east-1"
    assert rows["dead letters"].startswith("1 with 3 records, the oldest waits for 0 h ")
    assert rows["processor version"] == "unknown; unknown"
    for what in ("alarms", "processor provisioned", "processor failures", "items"):
        assert rows[what] == "unknown"
    assert "Unknown: AWS refused ListStackResources" in ran.err
    assert "Needs attention: 1 dead letter waits: pipeline dead-letters" in ran.err


def test_what_is_unknown_is_null_in_json_with_the_reasons(aws: FakeAws, operate: Run) -> None:
    status = json.loads(operate("status", "--json").out)
    assert status["alarms"] is status["items"] is None
    assert status["dead_letters"] == {"visible": 0, "in_flight": 0, "records": 0}
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
    assert "dead letters\t3 with 3 records, the oldest waits for 2 d 1 h\n" in operate("status").out
    assert 49 * 3600 + 50 <= json.loads(operate("status", "--json").out)["oldest_dead_letter_seconds"] < 49 * 3600 + 120
    assert (aws.visible, aws.calls["DeleteMessageBatch"]) == (3, 0)


def test_it_says_that_alarms_are_not_evaluated_elsewhere_than_on_aws(aws: FakeAws, operate: Run) -> None:
    assert "Alarms are not evaluated here: this is not Amazon's AWS." in operate("status").err


def test_a_healthy_stack_is_described_in_rows_and_in_json() -> None:
    version = "7; published: 8 at 2026-01-01 08:00, 7 at 2025-12-24 18:00"
    assert dict(rows(HEALTHY)) == {
        "stack": "UPDATE_COMPLETE in us-east-1",
        "alarms": "0 of 1 on",
        "dead letters": "0",
        **{f"{stage} version": version for stage in HEALTHY.functions},
        **{f"{stage} provisioned": "2 wanted, 2 ready (READY)" for stage in HEALTHY.functions},
        **{f"{stage} concurrency": "at most 3 at once in the last hour, of 10 reserved" for stage in HEALTHY.functions},
        **{f"{stage} failures": "none since 09:00 UTC" for stage in HEALTHY.functions},
        "account's concurrency": "at most 9 at once in the last hour, 1000, 970 of them unreserved",
        "items": "12, as counted up to six hours ago",
    }
    described = describe(HEALTHY)
    assert json.loads(json.dumps(described)) == described
    assert described["oldest_dead_letter_seconds"] is None
    assert described["functions"]["processor"] == {
        "versions": [{"number": "7", "weight": 1.0}],
        "published": [
            {"number": "8", "time": "2026-01-01T08:00:00Z"},
            {"number": "7", "time": "2025-12-24T18:00:00Z"},
        ],
        "provisioned_concurrency": {"wanted": 2, "ready": 2, "state": "READY"},
        "reserved_concurrency": 10,
        "failures": {},
    }
    assert described["account"] == {"limit": 1000, "unreserved": 970}
    assert described["at_once"] == {"account": 9, "validator": 3, "enricher": 3, "processor": 3}


def test_what_is_out_of_the_ordinary_is_described_and_what_is_not_has_no_row() -> None:
    odd = GOOD._replace(
        traffic=(Traffic("7", 0.9), Traffic("8", 0.1)),
        versions=Unknown("x"),
        concurrency=Concurrency(),
        reserved=None,
        failures=Failures(NINE, {"timeout": 2, "out of memory": 1}, NINE + 60_000),
    )
    health = HEALTHY._replace(
        functions={"processor": odd},
        queue=Depth(1500, 2, 0),
        waiting=Waiting(1000, 4000, 3 * 3600 + 120),
        at_once={"": 0, "processor": 0},
        account=Unknown("x"),
    )
    assert dict(rows(health)) == {
        "stack": "UPDATE_COMPLETE in us-east-1",
        "alarms": "0 of 1 on",
        "dead letters": "1500 with 4000 records in 1000 that were looked at, the oldest waits for 3 h 2 min, "
        "2 more in a reader's hands",
        "processor version": "7 (90%), 8 (10%); unknown",
        "processor failures": "2 x timeout, 1 x out of memory since 09:00 UTC, the last at 09:01",
        "account's concurrency": "unknown",
        "items": "12, as counted up to six hours ago",
    }
    assert describe(health)["oldest_dead_letter_seconds"] == 10920
