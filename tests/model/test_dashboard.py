"""The dashboard shows metrics that exist, of resources of this stack."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from .documented_metrics import DOCUMENTED
from .stages import STAGES


@pytest.fixture(scope="module")
def body(template: dict[str, Any]) -> dict[str, Any]:
    return json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])


def rows(body: dict[str, Any]) -> Iterator[list[Any]]:
    for widget in body["widgets"]:
        yield from (row for row in widget["properties"].get("metrics", []) if isinstance(row[0], str))


def test_each_metric_and_its_dimensions_are_documented(body: dict[str, Any]) -> None:
    shown = list(rows(body))
    assert len(shown) == 8 + 11 * len(STAGES)
    for namespace, metric, *rest in shown:
        dimensions = frozenset(rest[:-1:2])
        assert dimensions in DOCUMENTED[namespace][metric], (namespace, metric, rest)


def test_what_is_shown_is_named_by_reference(template: dict[str, Any], body: dict[str, Any]) -> None:
    values = {value for row in rows(body) for value in row[3:-1:2]} - {"PutItem"}
    assert all("${" in value for value in values)
    known = {*template["Resources"], *template["Parameters"]}
    referred = {reference.split(".")[0] for reference in re.findall(r"\$\{([\w.]+)\}", json.dumps(body))}
    assert len(referred) >= 10
    assert referred <= known


@pytest.mark.parametrize(
    "metric",
    [
        *("Invocations", "Errors", "Duration", "ConcurrentExecutions", "ProvisionedConcurrentExecutions"),
        *("AsyncEventAge", "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "DeadLetterErrors"),
        *("ConsumedWriteCapacityUnits", "SuccessfulRequestLatency", "IncomingBytes"),
    ],
)
def test_the_page_answers_what_is_asked(body: dict[str, Any], metric: str) -> None:
    assert metric in {row[1] for row in rows(body)}


def test_the_costs_follow_the_memory_of_the_functions(template: dict[str, Any], body: dict[str, Any]) -> None:
    expressions = re.findall(r"duration\d \* (\d+) / 1024 / 1000", json.dumps(body))
    memory = [template["Resources"][f"{stage}Function"]["Properties"]["MemorySize"] for stage in STAGES]
    assert [int(size) for size in expressions] == memory


def test_the_query_reads_the_logs_of_every_stage(body: dict[str, Any]) -> None:
    (query,) = (widget["properties"]["query"] for widget in body["widgets"] if widget["type"] == "log")
    assert re.findall(r"SOURCE '\$\{(\w+)\}'", query) == [f"{stage}LogGroup" for stage in STAGES]


def test_the_body_stays_small(template: dict[str, Any]) -> None:
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert len(text) < 50_000  # characters


def test_every_widget_has_its_place_in_rows_of_24_columns(body: dict[str, Any]) -> None:
    widths = [widget["width"] for widget in body["widgets"]]
    assert sum(widths) % 24 == 0
    assert all(width in (8, 24) for width in widths)
