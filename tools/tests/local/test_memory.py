"""A run takes no more memory for a longer file: neither for what it reads, nor for what it keeps and reports."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pipeline.commands.shared.report import RunReport
from pipeline.records.dead import DeadRecords
from pipeline.records.judgement import Judgement
from pipeline.records.lines import prepare
from pipeline.records.outcomes import Outcomes
from pipeline.records.packing import Packing
from pipeline.records.source import Source
from pipeline.records.submit import Submission
from pipeline.records.table import Table
from pipeline.stack.invoke import Invoker
from pipeline.stack.rate_limit import RateLimiter


class Lambda:
    """Takes every event."""

    def invoke(self, **_: object) -> dict[str, Any]:
        return {"StatusCode": 202, "Payload": io.BytesIO(), "ResponseMetadata": {"RequestId": "request"}}


class DynamoDb:
    """Has an item under every key, or under none."""

    def __init__(self, data: str | None) -> None:
        self.data = data

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's
        ((table, asked),) = RequestItems.items()
        items = [{**key, "data": {"S": self.data}} for key in asked["Keys"] if self.data]
        return {"Responses": {table: items}}


def records(count: int, size: int) -> Iterator[dict[str, Any]]:
    return ({"id": f"r-{number}", "timestamp": number + 1, "data": "x" * size} for number in range(count))


@pytest.mark.parametrize(
    ("stored", "count", "size", "batch"),
    [("same", 300, 90_000, 100), *((stored, 6_500, 400, 25) for stored in ("changed", None))],
)
def test_a_file_is_larger_than_what_a_run_keeps(
    tmp_path: Path, stored: str | None, count: int, size: int, batch: int
) -> None:
    path = tmp_path / "records.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps(one) + "\n" for one in records(count, size))
    data = {"same": json.dumps("x" * size), "changed": "1", None: None}[stored]
    table = Table(DynamoDb(data), "t", RateLimiter())
    tracemalloc.start()
    try:
        with Source(path) as source, Outcomes() as outcomes:
            invoker = Invoker(Lambda(), RateLimiter(), Event())
            submission = Submission("f", invoker, Packing(prepare, batch=batch), lambda batch: batch.records)
            submission.run(source.lines())
            judgement = Judgement(table, DeadRecords(), prepare, changes_data=True)
            outcomes.take(judgement, source.lines())
            report = RunReport(outcomes, 1, 1.0, {"functions": {}, "errors": [], "losses": []})
            assert sum(map(len, report.json())) > (0 if stored else 40 * count)
        _, most = tracemalloc.get_traced_memory()  # mostly of the events that are under way at once
        assert most < path.stat().st_size / 2
    finally:
        tracemalloc.stop()
    assert (submission.counts.accepted, outcomes.total) == (count, count)
    assert outcomes.changed == count * (stored == "changed")
