"""Interleaving: every variant once a round, the first round not counted, the missing ones left out."""

from __future__ import annotations

import pytest

from bench.harness.rounds import Variant, interleave
from bench.results.figures import Sample


class Fake:
    """A measurement that gives 0, 1, 2, ... and notes who was measured."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.name, self.calls = name, calls

    def __call__(self) -> Sample:
        self.calls.append(self.name)
        return {"time (ms)": float(self.calls.count(self.name) - 1)}


def test_variants_take_turns_and_the_first_round_is_not_counted() -> None:
    calls: list[str] = []
    rows = interleave([Variant(name=name, measure=Fake(name, calls)) for name in "ab"], 2, lambda _: None)
    assert "".join(calls) == "ababab"
    assert [[sample["time (ms)"] for sample in row.samples] for row in rows] == [[1, 2], [1, 2]]


def test_a_missing_variant_keeps_its_row_and_its_reason() -> None:
    calls: list[str] = []
    variants = [Variant(name="a", missing="no Node.js"), Variant(name="b", measure=Fake("b", calls))]
    rows = interleave(variants, 1, lambda _: None)
    assert [(row.name, row.missing, len(row.samples)) for row in rows] == [("a", "no Node.js", 0), ("b", "", 1)]


def test_the_progress_names_what_is_measured_next() -> None:
    told: list[str] = []
    interleave([Variant(name="a", measure=Fake("a", []))], 1, told.append)
    assert told == ["a", "a"]


def test_a_variant_without_measure_or_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="either a way to measure it or a reason"):
        Variant(name="a")
