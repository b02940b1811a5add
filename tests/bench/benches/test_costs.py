"""Costs: each stack billed by its own sizes, the total the sum of its parts."""

from __future__ import annotations

import pytest

from bench import prices
from bench.benches.costs import OPTIMIZED, PRODUCT, SEED, TRACED, billings, total
from bench.harness.configured import stages
from bench.results.figures import Row, Table

PRICES = prices.load()


def stage(*rows: Row) -> Table:
    return Table(name="cost-stage", title="A stage", peer=OPTIMIZED, rows=rows)


def measured(name: str) -> Row:
    return Row(name=name, samples=[{"mean (ms)": 9.0, "compute (USD)": 0.1, "log (USD)": 0.2}])


def test_this_project_is_billed_by_the_sizes_that_the_model_has() -> None:
    assert billings()[PRODUCT].sizes == {name: stage.memory for name, stage in stages().items()}


def test_the_total_is_that_of_the_stages_the_table_and_the_traces() -> None:
    one = stage(*map(measured, (SEED, OPTIMIZED, PRODUCT)))
    table = total({"first": one, "second": one}, PRICES)
    expected = 2 * 0.3 + prices.writes(PRICES) + prices.traces(PRICES, share=TRACED)
    assert table.row(PRODUCT).median("first") == pytest.approx(0.3)
    assert table.row(PRODUCT).median("total") == pytest.approx(expected)
    assert table.row(SEED).median("traces") == 0


def test_a_stack_of_which_a_stage_was_not_measured_has_no_total() -> None:
    one = stage(Row(name=SEED, missing="no Node.js"), measured(OPTIMIZED), measured(PRODUCT))
    assert total({"first": one}, PRICES).row(SEED).missing == "no Node.js"


def test_what_is_drawn_are_the_parts_of_the_total() -> None:
    table = total({"first": stage(*map(measured, billings()))}, PRICES)
    assert table.plot
    assert set(table.plot.metrics) == set(table.metrics()) - {"total"}
