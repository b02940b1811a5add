"""Figures: medians, ratios and percentiles of what was measured, and their JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.results.figures import Goal, Plot, Row, Table, percentile
from tests.bench.results.samples import row, table


def test_a_median_is_that_of_the_rounds() -> None:
    assert row("ours", 1, 100, 3).median("time (ms)") == 3


def test_a_metric_that_was_not_measured_has_no_median() -> None:
    assert row("ours", 1).median("peak (MB)") is None


def test_a_ratio_is_taken_round_by_round() -> None:
    # In the last round the machine was five times slower, for both.
    assert table(row("peer", 4, 5, 20), row("ours", 2, 3, 10)).ratio("ours", "time (ms)") == 0.5


def test_a_round_without_a_figure_has_no_ratio() -> None:
    assert table(row("peer", 0, 4), row("ours", 1, 2)).ratio("ours", "time (ms)") == 0.5
    assert table(row("peer", 0), row("ours", 1)).ratio("ours", "time (ms)") is None


def test_a_ratio_to_a_peer_that_is_missing_is_none() -> None:
    figures = table(Row(name="peer", missing="no Node.js"), row("ours", 1))
    assert figures.ratio("ours", "time (ms)") is None


@pytest.mark.parametrize(("ours", "verdict"), [(2.0, "Met"), (2.1, "Missed")])
def test_a_goal_is_met_up_to_its_ratio(ours: float, verdict: str) -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.5)
    (said,) = table(row("peer", 4), row("ours", ours), goals=[goal]).remarks()
    assert said.startswith(f"{verdict}: time (ms) of ours is {ours / 4:.2f} times peer")


def test_a_goal_against_a_missing_peer_is_neither_met_nor_missed() -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.5)
    (said,) = table(Row(name="peer", missing="no Node.js"), row("ours", 1), goals=[goal]).remarks()
    assert said.startswith("Not measured: time (ms) of ours")


@pytest.mark.parametrize(("limit", "verdict"), [({"at_least": 60}, "Met"), ({"at_least": 61}, "Missed")])
def test_a_goal_may_be_a_figure_of_its_own(limit: Any, verdict: str) -> None:
    goal = Goal(variant="ours", metric="time (ms)", **limit)
    said = f"{verdict}: time (ms) of ours is 60; the goal is at least {limit['at_least']}."
    assert table(row("peer", 1), row("ours", 60), goals=[goal]).remarks() == [said]


def test_a_goal_may_be_a_ratio_to_reach() -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_least=15)
    said = "Met: time (ms) of ours is 20.00 times peer; the goal is at least 15."
    assert table(row("peer", 2), row("ours", 40), goals=[goal]).remarks() == [said]


@pytest.mark.parametrize("limits", [{}, {"at_most": 1, "at_least": 1}, {"at_most": 0}])
def test_a_goal_has_one_limit_above_zero(limits: Any) -> None:
    with pytest.raises(ValueError, match="one limit above 0"):
        Goal(variant="ours", metric="time (ms)", **limits)


def test_a_table_is_the_same_after_it_was_written_as_json() -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.5)
    missing = Row(name="other", missing="no Docker")
    plot = Plot(["time (ms)"], "ms")
    before = table(row("peer", 4, 6), row("ours", 1, 2), missing, goals=[goal], notes=["A note."], plot=plot)
    document = json.loads(json.dumps(before.as_json()))
    assert json.loads(json.dumps(Table.from_json(document).as_json())) == document


def test_the_json_has_the_values_of_every_round_and_what_follows_from_them() -> None:
    figures = table(row("peer", 4, 6), Row(name="other", missing="no Docker"), notes=["A note."])
    document = json.loads(json.dumps(figures.as_json()))
    assert document["rows"] == [
        {"name": "peer", "missing": "", "samples": [{"time (ms)": 4}, {"time (ms)": 6}]},
        {"name": "other", "missing": "no Docker", "samples": []},
    ]
    assert document["figures"] == {"peer": {"time (ms)": {"median": 5.0, "ratio": 1.0}}, "other": {}}
    assert document["remarks"] == ["A note."]


@pytest.mark.parametrize("given", [{}, {"samples": [{"a": 1.0}], "missing": "too"}])
def test_a_row_has_either_samples_or_a_reason(given: Any) -> None:
    with pytest.raises(ValueError, match="either samples or a reason"):
        Row(name="ours", **given)


@pytest.mark.parametrize(("share", "value"), [(0.01, 1), (0.5, 50), (0.99, 99), (1, 100)])
def test_a_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="a percentile needs values"):
        percentile(values, share)
