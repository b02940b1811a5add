"""What the measured sizes suggest: the cheapest, and the one from which on more memory hardly helps."""

from __future__ import annotations

from bench.benches.sizes import advice
from bench.results.figures import Row


def size(name: str, p50: float, cost: float) -> Row:
    return Row(name=name, samples=[{"p50 (ms)": p50, "a million (USD)": cost}])


def test_the_cheapest_and_the_knee_are_named() -> None:
    rows = [size("128 MB", 4.0, 0.1), size("256 MB", 2.1, 0.2), size("512 MB", 2.0, 0.4)]
    assert advice(rows, "validator") == "Cheapest: 128 MB. Knee: 256 MB. The model has 512 MB."


def test_a_slow_table_moves_the_knee_down() -> None:
    rows = [size("256 MB", 1.4, 0.2), size("512 MB", 1.0, 0.4)]
    assert advice(rows, "validator").startswith("Cheapest: 256 MB. Knee: 512 MB.")
    # With the table's 4 ms in every call the larger size gains less than a tenth.
    assert advice(rows, "processor").startswith("Cheapest: 256 MB. Knee: 256 MB.")


def test_without_figures_nothing_is_suggested() -> None:
    rows = [Row(name="512 MB", missing="no CPU limit here")]
    assert advice(rows, "validator") == "Nothing was measured, so nothing is suggested."
