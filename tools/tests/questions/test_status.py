"""What is made of AWS' answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.letters.queue import Depth
from pipeline.questions.status import Account, Alarm, Concurrency, FunctionHealth, Health, Unknown, Version, ask
from pipeline.stack.aws import Access

from ..stack.samples import STAGES, alias, stack

GOOD = FunctionHealth((Version("7", 1.0),), Concurrency(2, 2, "READY"), 10, {})
HEALTHY = Health(
    stack(),
    "us-east-1",
    (Alarm("errors", "OK", ""),),
    Depth(0, 0, 0),
    None,
    dict.fromkeys(STAGES, GOOD),
    Account(1000, 970),
    {"": 9, **dict.fromkeys(STAGES, 3)},
    12,
)


def test_a_healthy_stack_has_no_troubles() -> None:
    assert HEALTHY.troubles == HEALTHY.unknown == []


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
        (
            HEALTHY._replace(functions={"enricher": GOOD._replace(failures={"timeout": 2})}),
            "the enricher failed within the last hour: 2 x timeout",
        ),
    ],
)
def test_what_needs_attention_is_named(health: Health, trouble: str) -> None:
    assert health.troubles == [trouble]


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


class Session:
    """Has the one service for all."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def client(self, name: str, **_: Any) -> Service:
        return self.service


def line(kind: str, **of_it: Any) -> dict[str, str]:
    return {"message": json.dumps({"time": "2026-01-01T00:00:00Z", "type": kind, "record": of_it})}


LOG = [
    line("platform.report", status="timeout"),
    line("platform.report", status="error", errorType="Runtime.OutOfMemory"),
    line("platform.report", status="error", errorType="Runtime.ExitError"),
    line("platform.initReport", status="error", errorType="Runtime.ImportModuleError"),
    line("platform.report", status="timeout"),
    {"message": "no JSON"},
    {"message": '{"level": "ERROR", "message": "stage failed"}'},
    {"message": "[]"},
    line("platform.report", status="failure"),
]


def health() -> tuple[Health, Service]:
    versions = {"Aliases": [{"AliasArn": alias(stage), "FunctionVersion": "7"} for stage in STAGES]}
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
        "list_aliases": versions,
        "list_stack_resources": {"StackResourceSummaries": []},
    }

    class Paginator:
        def __init__(self, operation: str) -> None:
            self.operation = operation

        def paginate(self, **request: Any) -> list[Any]:
            service.asked.append((self.operation, request))
            return [pages[self.operation]]

    service.get_paginator = Paginator
    return ask(Access(Session(service), "us-east-1"), stack()), service


def test_all_that_aws_tells_is_known() -> None:
    found, _ = health()
    assert found.unknown == []
    assert (found.queue, found.oldest) == (Depth(0, 2, found.queue.time), None)  # type: ignore[union-attr]
    assert (found.account, found.items) == (Account(10, 7), 3)
    assert found.at_once == {"": 6, "validator": 0, "enricher": 0, "processor": 0}
    failures = {"timeout": 2, "out of memory": 1, "ended itself": 1, "failed start": 1}
    assert found.functions["processor"] == ((Version("7", 1),), Concurrency(2, 0, "IN_PROGRESS"), 5, failures)


def test_each_stages_log_and_concurrency_are_asked_for() -> None:
    _, service = health()
    logs = [request["logGroupName"] for operation, request in service.asked if operation == "filter_log_events"]
    assert logs == [f"/aws/lambda/{stage}-dev" for stage in STAGES]
    (metrics,) = (request for operation, request in service.asked if operation == "get_metric_data")
    dimensions = [query["MetricStat"]["Metric"]["Dimensions"] for query in metrics["MetricDataQueries"]]
    assert dimensions == [[], *([{"Name": "FunctionName", "Value": f"{stage}-dev"}] for stage in STAGES)]
