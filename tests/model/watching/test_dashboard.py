"""The dashboard shows metrics that exist, of resources of this stack."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from model.watching import counting

from ..built_stages import STAGES
from ..documented_metrics import DOCUMENTED
from ..translation import of_type


@pytest.fixture(scope="module")
def body(template: dict[str, Any]) -> dict[str, Any]:
    return json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])


@pytest.fixture(scope="module")
def of_files(template: dict[str, Any]) -> dict[str, Any]:
    return json.loads(template["Resources"]["FilesDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])


def rows(body: dict[str, Any]) -> Iterator[list[Any]]:
    for widget in body["widgets"]:
        yield from (row for row in widget["properties"].get("metrics", []) if isinstance(row[0], str))


OWN = "${AWS::StackName}"


def test_each_metric_and_its_dimensions_are_documented(body: dict[str, Any], of_files: dict[str, Any]) -> None:
    of_aws, about_files = ([row for row in rows(one) if row[0] != OWN] for one in (body, of_files))
    assert len(of_aws) == 10 + 12 * len(STAGES)
    assert len(about_files) >= 8
    for namespace, metric, *rest in of_aws + about_files:
        dimensions = frozenset(rest[:-1:2])
        assert dimensions in DOCUMENTED[namespace][metric], (namespace, metric, rest)


def test_the_failures_that_are_counted_are_shown(template: Any, body: dict[str, Any], of_files: dict[str, Any]) -> None:
    shown = [*rows(body), *rows(of_files)]
    counted = {
        transformation["MetricName"]
        for metric_filter in of_type(template, "AWS::Logs::MetricFilter").values()
        for transformation in metric_filter["MetricTransformations"]
    }
    assert counted == {row[1] for row in shown if row[0] == OWN}


def test_writes_one_by_one_and_in_batches_have_their_latency(body: dict[str, Any]) -> None:
    """DynamoDB counts them as two operations."""
    shown = {row[-2] for row in rows(body) if row[1] == "SuccessfulRequestLatency"}
    assert shown == {"PutItem", "BatchExecuteStatement"}


def test_what_is_shown_is_named_by_reference(template: dict[str, Any], body: dict[str, Any]) -> None:
    values = {value for row in rows(body) for value in row[3:-1:2]} - {"PutItem", "BatchExecuteStatement"}
    assert all("${" in value for value in values)
    known = {*template["Resources"], *template["Parameters"]}
    referred = {reference.split(".")[0] for reference in re.findall(r"\$\{([\w.]+)\}", json.dumps(body))}
    assert len(referred) >= 10
    assert referred <= known


@pytest.mark.parametrize(
    "metric",
    [
        *("Invocations", "Errors", "Duration", "ConcurrentExecutions", "ProvisionedConcurrentExecutions"),
        *("ClaimedAccountConcurrency", "AsyncEventAge", "AsyncEventsDropped", "NumberOfMessagesSent"),
        *("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"),
        *("DeadLetterErrors", "DestinationDeliveryFailures"),
        *("ConsumedWriteCapacityUnits", "SuccessfulRequestLatency", "IncomingBytes"),
    ],
)
def test_the_page_answers_what_is_asked(body: dict[str, Any], metric: str) -> None:
    shown = {row[1] for row in rows(body)}
    assert metric in shown
    assert "ApproximateAgeOfOldestMessage" not in shown, "it leaves out what was received three times"


def test_the_concurrency_of_every_stage_is_shown_and_what_is_warm_of_those_that_keep_some(body: dict[str, Any]) -> None:
    functions = {row[3] for row in rows(body) if row[1] == "ConcurrentExecutions"}
    assert functions == {f"${{{stage}Function}}" for stage in STAGES}
    warm = {row[3] for row in rows(body) if row[1] == "ProvisionedConcurrentExecutions"}
    assert warm == {"${ProcessorFunction}"}


def test_the_costs_follow_the_memory_of_the_functions(template: dict[str, Any], body: dict[str, Any]) -> None:
    expressions = re.findall(r"duration\d \* (\d+) / 1024 / 1000", json.dumps(body))
    memory = [template["Resources"][f"{stage}Function"]["Properties"]["MemorySize"] for stage in STAGES]
    assert [int(size) for size in expressions] == memory


@pytest.fixture(scope="module")
def query(body: dict[str, Any]) -> str:
    (found,) = (widget["properties"]["query"] for widget in body["widgets"] if widget["type"] == "log")
    return str(found)


def test_the_query_reads_the_logs_of_every_stage(query: str) -> None:
    assert re.findall(r"SOURCE '\$\{(\w+)\}'", query) == [f"{stage}LogGroup" for stage in STAGES]


def test_the_query_shows_what_lambda_itself_tells_of_broken_runs_and_starts(query: str) -> None:
    assert "record.status = 'timeout'" in query
    assert "type = 'platform.initReport' and record.status != 'success'" in query
    for error in counting.ENDED:
        assert f"'{error}'" in query


def test_the_links_stay_in_the_console_whose_host_differs_by_partition(body: dict[str, Any]) -> None:
    links = re.findall(r"\]\(([^)]+)\)", body["widgets"][0]["properties"]["markdown"])
    assert len(links) == 3
    assert all(link.startswith("#") for link in links)


def test_the_body_stays_small(template: dict[str, Any]) -> None:
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert len(text) < 50_000  # characters


def test_every_widget_has_its_place_in_rows_of_24_columns(body: dict[str, Any]) -> None:
    widths = [widget["width"] for widget in body["widgets"]]
    assert sum(widths) % 24 == 0
    assert all(width in (8, 24) for width in widths)
