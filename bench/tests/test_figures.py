"""Figures: medians and ratios of what was measured, the goals that are set on them, and their JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.results.figures import Goal, Row, Table


def row(name: str, *values: float) -> Row:
    return Row(name=name, samples=[{"time (ms)": value} for value in values])


def table(*rows: Row, **given: Any) -> Table:
    return Table(name="test", title="A test", peer="peer", rows=rows, **given)


def test_a_median_is_that_of_the_rounds() -> None:
    assert row("ours", 1, 100, 3).median("time (ms)") == 3
    assert row("ours", 1).median("peak (MB)") is None


def test_a_ratio_is_taken_round_by_round() -> None:
    # In the last round the machine was five times slower, for both.
    assert table(row("peer", 4, 5, 20), row("ours", 2, 3, 10)).ratio("ours", "time (ms)") == 0.5


def test_a_round_without_a_figure_has_no_ratio() -> None:
    assert table(row("peer", 0, 4), row("ours", 1, 2)).ratio("ours", "time (ms)") == 0.5
    assert table(row("peer", 0), row("ours", 1)).ratio("ours", "time (ms)") is None
    assert table(Row(name="peer", missing="no Node.js"), row("ours", 1)).ratio("ours", "time (ms)") is None


@pytest.mark.parametrize(("ours", "verdict"), [(2.0, "Met"), (2.1, "Missed")])
def test_a_goal_is_met_up_to_its_ratio(ours: float, verdict: str) -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.5)
    (said,) = table(row("peer", 4), row("ours", ours), goals=[goal]).remarks()
    assert said.startswith(f"{verdict}: time (ms) of ours is {ours / 4:.2f} times peer")


def test_a_goal_against_a_missing_peer_is_neither_met_nor_missed() -> None:
    goal = Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.5)
    (said,) = table(Row(name="peer", missing="no Node.js"), row("ours", 1), goals=[goal]).remarks()
    assert said.startswith("Not measured: time (ms) of ours")


@pytest.mark.parametrize(("least", "verdict"), [(60, "Met"), (61, "Missed")])
def test_a_goal_may_be_a_figure_to_reach(least: float, verdict: str) -> None:
    goal = Goal(variant="ours", metric="time (ms)", at_least=least)
    said = f"{verdict}: time (ms) of ours is 60; the goal is at least {least}."
    assert table(row("peer", 1), row("ours", 60), goals=[goal]).remarks() == [said]


@pytest.mark.parametrize("limits", [{}, {"at_most": 1, "at_least": 1}])
def test_a_goal_has_one_limit(limits: Any) -> None:
    with pytest.raises(ValueError, match="one limit"):
        Goal(variant="ours", metric="time (ms)", **limits)


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
