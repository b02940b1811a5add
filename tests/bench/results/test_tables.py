"""Tables, on the terminal and as Markdown: medians with ratios, what is missing and why, what became of the goals."""

from __future__ import annotations

import io

from rich.console import Console

from bench.results.figures import Goal, Row, Table
from bench.results.tables import as_markdown, show
from tests.bench.results.samples import row, table

COMPARED = table(
    row("peer", 200.0),
    row("ours", 50.0),
    Row(name="other", missing="no Docker"),
    goals=[
        Goal(variant="ours", metric="time (ms)", against="peer", at_most=0.2),
        Goal(variant="other", metric="time (ms)", against="peer", at_most=0.2),
    ],
    notes=["A note."],
)


def test_the_terminal_shows_medians_ratios_reasons_and_goals() -> None:
    output = io.StringIO()
    show(COMPARED, Console(file=output, width=120))
    text = output.getvalue()
    assert "50 (0.25)" in text
    assert "other: no Docker" in text
    assert "Missed: time (ms) of ours is 0.25 times peer; the goal is at most 0.2." in text
    assert "A note." in text


def test_a_bench_becomes_a_markdown_table_with_its_goals() -> None:
    assert as_markdown(COMPARED).splitlines() == [
        "**A test** (in brackets: the ratio to peer)",
        "",
        "| | time (ms) |",
        "|---|--:|",
        "| peer | 200 (1.00) |",
        "| ours | 50 (0.25) |",
        "| other | no Docker |",
        "",
        "- Missed: time (ms) of ours is 0.25 times peer; the goal is at most 0.2.",
        "- Not measured: time (ms) of other; the goal is at most 0.2 times peer.",
        "- A note.",
    ]


def test_a_table_without_a_peer_has_no_ratios() -> None:
    alone = Table(name="test", title="A test", rows=[row("ours", 50.0)])
    assert as_markdown(alone).splitlines() == ["**A test**", "", "| | time (ms) |", "|---|--:|", "| ours | 50 |"]
