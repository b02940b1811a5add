"""The table on the terminal: medians with ratios, what is missing and why, what became of the targets."""

from __future__ import annotations

import io

from rich.console import Console

from bench.results.figures import Row, Target
from bench.results.show import show
from tests.bench.results.samples import row, table


def test_a_table_shows_medians_ratios_reasons_and_targets() -> None:
    compared = table(
        row("peer", 200.0),
        row("ours", 50.0),
        Row(name="other", missing="no Docker"),
        targets=[Target(variant="ours", metric="time (ms)", against="peer", at_most=0.2)],
        notes=["A note."],
    )
    output = io.StringIO()
    show(compared, Console(file=output, width=120))
    text = output.getvalue()
    assert "50 (0.25)" in text
    assert "other: no Docker" in text
    assert "missed: time (ms) of ours 0.25, at most 0.2 times peer" in text
    assert "A note." in text
