"""Markdown of the JSON: medians with ratios, what is missing and why, what became of the targets."""

from __future__ import annotations

from bench.results.figures import Row, Table, Target
from bench.results.markdown import as_markdown
from tests.bench.results.samples import row, table


def test_a_bench_becomes_a_table_with_its_targets() -> None:
    compared = table(
        row("peer", 200.0),
        row("ours", 50.0),
        Row(name="other", missing="no Docker"),
        targets=[
            Target(variant="ours", metric="time (ms)", against="peer", at_most=0.2),
            Target(variant="other", metric="time (ms)", against="peer", at_most=0.2),
        ],
    )
    assert as_markdown(compared.as_json()).splitlines() == [
        "**A test** (in brackets: the ratio to peer)",
        "",
        "| | time (ms) |",
        "|---|--:|",
        "| peer | 200 (1.00) |",
        "| ours | 50 (0.25) |",
        "| other | no Docker |",
        "",
        "- Target: time (ms) of ours at most 0.2 times peer: 0.25, **missed**.",
        "- Target: time (ms) of other at most 0.2 times peer: not measured.",
    ]


def test_the_cost_has_a_picture_whose_longest_bar_is_the_largest_part() -> None:
    rows = [Row(name="ours", samples=[{"validator": 0.5, "total": 2.0}])]
    text = as_markdown(Table(name="cost", title="Cost", peer="ours", rows=rows).as_json())
    lengths = {line.split()[-1]: line.count("█") for line in text.splitlines() if "█" in line}
    assert lengths == {"0.50": 10, "2.00": 40}
