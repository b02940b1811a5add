"""A run takes no more memory for a longer file: neither for what it reads, nor for what it keeps and reports."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pipeline.local.lines import Lines
from pipeline.local.matching import canonical
from pipeline.local.packing import pack
from pipeline.local.reconcile import Ledger
from pipeline.local.report import Report
from pipeline.local.results import Item
from pipeline.local.submit import submit


class Lambda:
    """Takes every event."""

    def invoke(self, **_: object) -> dict[str, Any]:
        return {"Payload": BytesIO(), "ResponseMetadata": {"RequestId": "request"}}


def records(count: int, size: int) -> Iterator[dict[str, Any]]:
    return ({"id": f"r-{number}", "timestamp": number + 1, "data": "x" * size} for number in range(count))


@pytest.mark.parametrize(("count", "size", "batch"), [(15_000, 250, 100), (300, 90_000, 100)])
@pytest.mark.parametrize("stored", [True, False])
def test_a_file_is_larger_than_what_a_run_keeps(
    tmp_path: Path, count: int, size: int, batch: int, stored: bool
) -> None:
    path = tmp_path / "records.jsonl"
    with path.open("w") as file:
        file.writelines(json.dumps(one) + "\n" for one in records(count, size))
    items = (Item(one["id"], one["timestamp"], canonical(one["data"]), "1.0") for one in records(count, size))
    tracemalloc.start()
    try:
        lines, ledger = Lines(path), Ledger()
        submit(Lambda(), "f", pack(lines, batch), ledger.add)
        ledger.judge(items if stored else [], [])
        report = Report(ledger, 1.0, {"functions": {}, "errors": [], "losses": []})
        assert sum(map(len, report.json())) > (0 if stored else 40 * count)
        _, most = tracemalloc.get_traced_memory()  # mostly of the events that are under way at once
        assert most < path.stat().st_size / 3
    finally:
        tracemalloc.stop()
    assert (report.submitted, report.ledger.items) == (count, count if stored else 0)
