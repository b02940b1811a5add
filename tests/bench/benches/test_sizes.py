"""What the measured sizes suggest: the cheapest, and the one from which on more memory hardly helps."""

from __future__ import annotations

from bench.benches.sizes import advice
from bench.results.figures import Row


def size(name: str, p50: float, cost: float) -> Row:
    return Row(name=name, samples=[{"p50 (ms)": p50, "a million (USD)": cost}])


def test_the_cheapest_and_the_knee_are_named() -> None:
    rows = [size("128 MB", 4.0, 0.1), size("256 MB", 2.1, 0.2), size("512 MB", 2.0, 0.4)]
    assert advice(rows, 512) == "Cheapest: 128 MB. Knee: 256 MB. The model has 512 MB."


def test_a_tenth_more_time_moves_the_knee_down() -> None:
    assert advice([size("256 MB", 1.11, 0.2), size("512 MB", 1.0, 0.4)], 512).startswith("Cheapest: 256 MB. Knee: 512")
    assert advice([size("256 MB", 1.10, 0.2), size("512 MB", 1.0, 0.4)], 512).startswith("Cheapest: 256 MB. Knee: 256")


def test_without_figures_nothing_is_suggested() -> None:
    rows = [Row(name="512 MB", missing="no CPU limit here")]
    assert advice(rows, 512) == "Nothing was measured, so nothing is suggested."
