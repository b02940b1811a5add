"""Tables, on the terminal and as Markdown: medians with ratios, what is missing and why, what became of the targets."""

from __future__ import annotations

import io

from rich.console import Console

from bench.results.figures import Row, Target
from bench.results.tables import as_markdown, show
from tests.bench.results.samples import row, table

COMPARED = table(
    row("peer", 200.0),
    row("ours", 50.0),
    Row(name="other", missing="no Docker"),
    targets=[
        Target(variant="ours", metric="time (ms)", against="peer", at_most=0.2),
        Target(variant="other", metric="time (ms)", against="peer", at_most=0.2),
    ],
    notes=["A note."],
)


def test_the_terminal_shows_medians_ratios_reasons_and_targets() -> None:
    output = io.StringIO()
    show(COMPARED, Console(file=output, width=120))
    text = output.getvalue()
    assert "50 (0.25)" in text
    assert "other: no Docker" in text
    assert "Missed: time (ms) of ours is 0.25 times peer; the target is at most 0.2." in text
    assert "A note." in text


def test_a_bench_becomes_a_markdown_table_with_its_targets() -> None:
    assert as_markdown(COMPARED).splitlines() == [
        "**A test** (in brackets: the ratio to peer)",
        "",
        "| | time (ms) |",
        "|---|--:|",
        "| peer | 200 (1.00) |",
        "| ours | 50 (0.25) |",
        "| other | no Docker |",
        "",
        "- Missed: time (ms) of ours is 0.25 times peer; the target is at most 0.2.",
        "- Not measured: time (ms) of other; the target is at most 0.2 times peer.",
        "- A note.",
    ]
