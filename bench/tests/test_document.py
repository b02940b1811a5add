"""Figures and their document: medians, ratios and goals; tables that are replaced one by one and read again."""

import json
from typing import Any

import pytest

from bench.results.document import as_markdown, figures, with_table
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


@pytest.mark.parametrize(("least", "verdict"), [(60, "Met"), (61, "Missed")])
def test_a_goal_may_be_a_figure_to_reach(least: float, verdict: str) -> None:
    goal = Goal(variant="ours", metric="time (ms)", at_least=least)
    said = f"{verdict}: time (ms) of ours is 60; the goal is at least {least}."
    assert table(row("peer", 1), row("ours", 60), goals=[goal]).remarks() == [said]


def test_the_json_has_the_values_of_every_round_and_what_follows_from_them() -> None:
    figures = table(row("peer", 4, 6), Row(name="other", missing="no Docker"), notes=["A note."])
    document = json.loads(json.dumps(figures.as_json()))
    assert document["rows"] == [
        {"name": "peer", "missing": "", "samples": [{"time (ms)": 4}, {"time (ms)": 6}]},
        {"name": "other", "missing": "no Docker", "samples": []},
    ]
    assert document["figures"] == {"peer": {"time (ms)": {"median": 5.0, "ratio": 1.0}}, "other": {}}
    assert document["remarks"] == ["A note."]


def results(name: str = "test", *, ours: float = 50.0) -> Table:
    return Table(
        name=name,
        title="A test",
        peer="peer",
        rows=[
            Row(name="peer", samples=[{"time (ms)": 200.0, "peak (MB)": 8.0}]),
            Row(name="ours", samples=[{"time (ms)": ours}]),
            Row(name="other", missing="no Docker"),
        ],
        goals=[Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.2)],
        notes=["A note."],
    )


def test_a_bench_becomes_a_markdown_table_with_its_goals() -> None:
    assert as_markdown(results()).splitlines() == [
        "**A test** (in brackets: the ratio to peer)",
        "",
        "|       |  time (ms) | peak (MB) |",
        "|-------|-----------:|----------:|",
        "| peer  | 200 (1.00) |  8 (1.00) |",
        "| ours  |  50 (0.25) |           |",
        "| other |  no Docker |",
        "",
        "- Missed: time (ms) of ours is 0.25 times peer; the goal is at most 0.2.",
        "- A note.",
    ]


def test_a_table_takes_the_place_of_its_former_figures_and_of_no_others() -> None:
    document = with_table(with_table("# Results\n", results("first"), "Monday."), results("second"), "Monday.")
    again = with_table(document, results("first", ours=20), "Friday.")
    assert [line for line in again.splitlines() if line.startswith("## ")] == ["## first", "## second"]
    assert (again.count("Monday."), again.count("Friday.")) == (1, 1)
    assert "|  20 (0.10) |" in again.partition("## second")[0]
    assert again.partition("## second")[2] == document.partition("## second")[2]


def test_figures_are_read_as_they_were_written() -> None:
    document = with_table("# Results\n", Table(name="test", title="", rows=results().rows[:2], peer="peer"), "Monday.")
    assert figures(document, "test") == {"peer": {"time (ms)": 200, "peak (MB)": 8}, "ours": {"time (ms)": 50}}


def test_a_table_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="must have a section 'scale'"):
        figures("# Results\n", "scale")
