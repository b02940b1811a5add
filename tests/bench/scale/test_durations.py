"""What the simulation takes for granted: figures of the bench, there and back."""

from __future__ import annotations

import pytest

from bench.harness.configured import stages
from bench.results.figures import Row, Table
from bench.scale.durations import SIZES, Duration, read

DURATION = Duration(warm=0.007, cold=0.3, logged=240, event=1536)


def rows() -> list[Row]:
    sample = {metric: value for stage in stages() for metric, value in DURATION.sample(stage).items()}
    return [Row(name=name, samples=[sample]) for name in SIZES.values()]


def test_durations_are_read_as_they_were_measured() -> None:
    known = read(Table(name="scale-durations", title="Durations", rows=rows()))
    assert known is not None
    assert list(known) == list(SIZES)
    assert list(known[1]) == list(stages())
    assert known[100]["processor"] == pytest.approx(DURATION)


def test_figures_have_the_units_that_they_name() -> None:
    assert DURATION.sample("enricher") == {
        "enricher (ms)": 7,
        "enricher, init (ms)": 300,
        "enricher, log (bytes)": 240,
        "enricher, event (KB)": 1.5,
    }


def test_what_could_not_be_measured_is_not_there() -> None:
    missing = [Row(name=name, missing="no CPU limit") for name in SIZES.values()]
    assert read(Table(name="scale-durations", title="Durations", rows=missing)) is None
