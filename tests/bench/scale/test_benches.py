"""The tables of docs/scale.md: what is in them, and that the document has a place for each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bench.results.__main__ import SCALE
from bench.results.figures import Row, Table
from bench.scale import benches, durations
from pipeline.commands.submit import WRITES
from tests.bench.scale.samples import DURATIONS

pytestmark = pytest.mark.xdist_group("tables")  # they are made once


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    """Make the tables of two loads, which stand for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benches, "RATES", (1_000, 100_000))
        patch.setattr(benches, "HOT_RATES", (10_000,))
        return {table.name: table for table in benches.tables(DURATIONS)}


def test_each_table_has_its_place_in_the_document(tables: dict[str, Table]) -> None:
    places = re.findall(r"<!-- bench: (\S+) -->", SCALE.read_text())
    assert sorted(places) == sorted({*tables, "scale-durations", "scale-embedded"})


def test_a_load_that_reaches_a_limit_says_which_and_when(tables: dict[str, Table]) -> None:
    remarks = tables["scale-deployed"].remarks()
    assert any(re.match(r"100,000/s: reaches the table's warm throughput \(0 s\)", remark) for remark in remarks)
    assert not any(remark.startswith("1,000/s:") for remark in remarks)


def test_the_backlog_grows_with_the_hours(tables: dict[str, Table]) -> None:
    row = tables["scale-backlog"].row("100,000/s")
    backlog = [row.median(metric) or 0 for metric in benches.TIMES]
    assert backlog == sorted(backlog)


def test_the_table_doubles_until_its_quota(tables: dict[str, Table]) -> None:
    row = tables["scale-growth"].row("the table takes")
    assert [row.median(metric) for metric in ("10 s", "1 h", "24 h")] == pytest.approx([4000, 8000, 40_000])


def test_what_each_load_needs_is_enough(tables: dict[str, Table]) -> None:
    for row in tables["scale-raised"].rows:
        assert row.median("stored (%)") == pytest.approx(100)
        assert row.median("dead letters (%)") == 0


def test_batches_cost_less(tables: dict[str, Table]) -> None:
    table = tables["scale-cost"]
    for metric in table.metrics():
        single, batched = (table.row(name).median(metric) or 0 for name in ("single events", "100 records an event"))
        assert 0 < batched < single / 2


def test_a_paced_backfill_leaves_no_dead_letter(tables: dict[str, Table]) -> None:
    table = tables["scale-backfill"]
    assert (table.rows[0].median("dead letters") or 0) > 1_000_000
    assert all(row.median("dead letters") == 0 for row in table.rows[1:])


def test_the_paced_backfill_is_that_of_the_command() -> None:
    assert WRITES == benches.PACED


def test_without_a_limit_of_the_cpu_only_the_reason_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Table(name="scale-durations", title="Durations", rows=[Row(name="1 record", missing="no CPU limit")])
    monkeypatch.setattr(durations, "measure", lambda _: missing)
    setup: Any = None
    assert benches.scale(setup) == [missing]
