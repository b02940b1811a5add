"""RESULTS.md: tables of medians with ratios, replaced one by one and read again."""

from __future__ import annotations

import pytest

from bench.results.document import as_markdown, figures, with_table
from bench.results.figures import Goal, Row, Table


def table(name: str = "test", *, ours: float = 50.0) -> Table:
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
    assert as_markdown(table()).splitlines() == [
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


def test_a_table_without_a_peer_has_no_ratios() -> None:
    alone = Table(name="test", title="A test", rows=[Row(name="ours", samples=[{"time (ms)": 50.0}])])
    assert as_markdown(alone).splitlines()[2:] == [
        "|      | time (ms) |",
        "|------|----------:|",
        "| ours |        50 |",
    ]


def test_a_table_takes_the_place_of_its_former_figures_and_of_no_others() -> None:
    document = with_table(with_table("# Results\n", table("first"), "Monday."), table("second"), "Monday.")
    again = with_table(document, table("first", ours=20), "Friday.")
    assert [line for line in again.splitlines() if line.startswith("## ")] == ["## first", "## second"]
    assert (again.count("Monday."), again.count("Friday.")) == (1, 1)
    assert "|  20 (0.10) |" in again.partition("## second")[0]
    assert again.partition("## second")[2] == document.partition("## second")[2]


def test_figures_are_read_as_they_were_written() -> None:
    document = with_table("# Results\n", Table(name="test", title="", rows=table().rows[:2], peer="peer"), "Monday.")
    assert figures(document, "test") == {"peer": {"time (ms)": 200, "peak (MB)": 8}, "ours": {"time (ms)": 50}}


def test_a_table_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="must have a section 'scale'"):
        figures("# Results\n", "scale")
