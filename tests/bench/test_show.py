"""The table on the terminal: medians with ratios, what is missing and why, what became of the targets."""

from __future__ import annotations

import io

from rich.console import Console

from bench.figures import Row, Table, Target
from bench.show import show


def test_a_table_shows_medians_ratios_reasons_and_targets() -> None:
    table = Table(
        name="test",
        title="A test",
        peer="peer",
        rows=[
            Row(name="peer", samples=[{"time (ms)": 200.0}]),
            Row(name="ours", samples=[{"time (ms)": 50.0}]),
            Row(name="other", missing="no Docker"),
        ],
        targets=[Target(variant="ours", metric="time (ms)", against="peer", at_most=0.2)],
        notes=["A note."],
    )
    output = io.StringIO()
    show(table, Console(file=output, width=120))
    text = output.getvalue()
    assert "50 (0.25)" in text
    assert "other: no Docker" in text
    assert "missed: time (ms) of ours 0.25, at most 0.2 times peer" in text
    assert "A note." in text
