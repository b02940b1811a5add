"""What is made of AWS' answers."""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.letters.queue import Depth
from pipeline.questions.functions import Account, Concurrency, Traffic, Version
from pipeline.questions.logs import Failures
from pipeline.questions.status import Alarm, FunctionHealth, Health, Trouble, Waiting, ask
from pipeline.questions.unknown import Unknown
from pipeline.stack.aws import Access

from ..stack.samples import STAGES, alias, stack

NINE = 1_767_258_000_000
"""2026-01-01T09:00:00Z."""
PUBLISHED = (Version("8", "2026-01-01T08:00:00Z"), Version("7", "2025-12-24T18:00:00Z"))
GOOD = FunctionHealth("f-dev", (Traffic("7", 1.0),), PUBLISHED, Concurrency(2, 2, "READY"), 10, Failures(NINE))
HEALTHY = Health(
    *(stack(), "us-east-1", (Alarm("errors", "OK", ""),), Depth(0, 0, 0), Waiting(0, 0, 0)),
    *(dict.fromkeys(STAGES, GOOD), Account(1000, 970), {"": 9, **dict.fromkeys(STAGES, 3)}, 12),
)


def test_a_healthy_stack_has_no_troubles() -> None:
    assert HEALTHY.troubles == HEALTHY.unknown == []


def with_stage(name: str, **changed: Any) -> dict[str, Any]:
    return {"functions": {**HEALTHY.functions, name: GOOD._replace(**changed)}}


@pytest.mark.parametrize(
    ("changed", "what", "do"),
    [
        ({"alarms": (Alarm("errors", "ALARM", ""),)}, "the alarm errors is on",
         "aws cloudwatch describe-alarm-history --alarm-name errors --max-items 5"),
        ({"queue": Depth(2, 1, 0)}, "3 dead letters wait", "pipeline dead-letters"),
        (with_stage("processor", concurrency=Concurrency(3, 1, "")), "the processor has 1 of 3 instances ready",
         "aws lambda get-provisioned-concurrency-config --function-name f-dev --qualifier live"),
        (with_stage("enricher", failures=Failures(NINE, {"timeout": 2}, NINE + 60_000)),
         "the enricher failed: 2 x timeout since 09:00 UTC, the last at 09:01",
         "aws logs tail /aws/lambda/f-dev --since 1h"),
        (with_stage("enricher", traffic=()), "the enricher has no alias live any more",
         "aws lambda create-alias --function-name f-dev --name live --function-version 8"),
    ],
)  # fmt: skip
def test_what_needs_attention_is_named(changed: dict[str, Any], what: str, do: str) -> None:
    assert HEALTHY._replace(**changed).troubles == [Trouble(what, do)]


def test_what_is_unknown_is_no_trouble() -> None:
    health = HEALTHY._replace(alarms=Unknown("a"), queue=Unknown("b"))
    assert (health.troubles, len(health.unknown)) == ([], 2)


class Service:
    """Answers each operation as told."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((operation, request))
            return self.answers[operation]

        return call


def line(kind: str = "", **of_it: Any) -> dict[str, Any]:
    fields = {"time": "2026-01-01T00:00:00Z", "type": kind, "record": of_it} if kind else of_it
    return {"timestamp": NINE, "message": json.dumps(fields)}


LOG = [
    line("platform.report", status="timeout"),
    line("platform.report", status="error", errorType="Runtime.OutOfMemory"),
    line("platform.report", status="error", errorType="Runtime.ExitError"),
    line("platform.initReport", status="error", errorType="Runtime.ImportModuleError"),
    line("platform.report", status="timeout"),
    line(level="ERROR", message="stage failed", reason="ServiceError"),
    line(level="ERROR", errorType="ServiceError", errorMessage="the same"),
    line(level="ERROR", errorType="Runtime.ImportModuleError", errorMessage="no module"),
    line(level="ERROR", errorType="Runtime.UnmarshalError", errorMessage="its producer's fault"),
    line(level="WARNING", message="record refused", reason="missing data field"),
    {"timestamp": NINE, "message": "no JSON"},
    {"timestamp": NINE, "message": "[]"},
    line("platform.report", status="failure"),
]


def health(*, aliases: tuple[str, ...] = STAGES) -> tuple[Health, Service]:
    live = {"Aliases": [{"AliasArn": alias(stage), "FunctionVersion": "7"} for stage in aliases]}
    published = [
        {"Version": number, "LastModified": f"2026-01-{day:02}T08:00:00.000+0000"}
        for day, number in enumerate(("$LATEST", "5", "6", "7", "10"), start=1)
    ]
    attributes = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "2"}
    service = Service(
        get_queue_attributes={"Attributes": attributes, "ResponseMetadata": {}},
        get_paginator=None,
        get_provisioned_concurrency_config={"RequestedProvisionedConcurrentExecutions": 2, "Status": "IN_PROGRESS"},
        get_function_concurrency={"ReservedConcurrentExecutions": 5},
        get_account_settings={"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 7}},
        get_metric_data={"MetricDataResults": [{"Id": "m0", "Values": [4.0, 6.0]}, {"Id": "m2", "Values": []}]},
        describe_table={"Table": {"ItemCount": 3}},
    )
    pages = {
        "filter_log_events": {"events": LOG},
        "list_aliases": live,
        "list_versions_by_function": {"Versions": published},
        "list_stack_resources": {"StackResourceSummaries": []},
    }

    def paginate(operation: str, **request: Any) -> list[Any]:
        service.asked.append((operation, request))
        return [pages[operation]]

    service.get_paginator = lambda operation: SimpleNamespace(paginate=partial(paginate, operation))
    session: Any = SimpleNamespace(client=lambda *_, **__: service)
    return ask(Access(session, "us-east-1"), stack(), letters=stack()), service


def test_all_that_aws_tells_is_known() -> None:
    found, _ = health()
    assert found.unknown == []
    assert (found.queue, found.waiting) == (Depth(0, 2, found.queue.time), Waiting(0, 0, 0))  # type: ignore[union-attr]
    assert (found.account, found.items) == (Account(10, 7), 3)
    assert found.at_once == {"": 6, "validator": 0, "enricher": 0, "processor": 0}
    processor = found.functions["processor"]
    assert (processor.traffic, processor.reserved) == ((Traffic("7", 1),), 5)
    assert processor.concurrency == Concurrency(2, 0, "IN_PROGRESS")
    assert processor.versions == tuple(
        Version(number, f"2026-01-{day:02}T08:00:00Z") for number, day in (("10", 5), ("7", 4), ("6", 3))
    )


def test_failures_are_those_that_the_functions_and_lambda_tell_of_and_no_refusals() -> None:
    failures = health()[0].functions["processor"].failures
    assert isinstance(failures, Failures)
    once = ("out of memory", "ended itself", "failed start", "ServiceError", "Runtime.ImportModuleError")
    assert (failures.last, failures.counts) == (NINE, {"timeout": 2, **dict.fromkeys(once, 1)})


def test_an_alias_that_was_deleted_is_named_with_what_helps() -> None:
    found, _ = health(aliases=("validator", "processor"))
    assert found.functions["enricher"].traffic == ()
    (lost,) = (trouble for trouble in found.troubles if "alias" in trouble.what)
    assert lost.do == "aws lambda create-alias --function-name enricher-dev --name live --function-version 10"


def test_each_stages_log_and_concurrency_are_asked_for() -> None:
    _, service = health()
    logs = [request["logGroupName"] for operation, request in service.asked if operation == "filter_log_events"]
    assert logs == [f"/aws/lambda/{stage}-dev" for stage in STAGES]
    (metrics,) = (request for operation, request in service.asked if operation == "get_metric_data")
    dimensions = [query["MetricStat"]["Metric"]["Dimensions"] for query in metrics["MetricDataQueries"]]
    assert dimensions == [[], *([{"Name": "FunctionName", "Value": f"{stage}-dev"}] for stage in STAGES)]
