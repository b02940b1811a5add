"""The embedded AWS' figures: from its report, and its steps from what it printed."""

from __future__ import annotations

from bench.pipeline import figures

OUTPUT = """build      3.4 s
deploy    11.1 s
submit   ━━━━━━━━ 24/24 0:00:00
24 submitted: 18 stored. 3.6 s, 6.7 records/s.
"""


def test_the_steps_are_read_from_the_output() -> None:
    sample = figures({"records_per_second": 6.7, "seconds": 3.6}, OUTPUT, 20.0)
    assert sample == {
        "records/s": 6.7,
        "build (s)": 3.4,
        "deploy (s)": 11.1,
        "pipeline (s)": 3.6,
        "all (s)": 20.0,
    }
