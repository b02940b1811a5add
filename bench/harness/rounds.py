"""Interleaving: each round measures every variant once, so that a slow minute of the machine slows all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.results.figures import Row, Sample


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Something to measure once a round; or something that can't be measured here, and why."""

    name: str
    measure: Callable[[], Sample] | None = None
    missing: str = ""

    def __post_init__(self) -> None:
        if (self.measure is None) != bool(self.missing):
            raise ValueError(f"{self.name!r} must have either a way to measure it or a reason why there is none")


def interleave(variants: Sequence[Variant], rounds: int, advance: Callable[[str], None]) -> list[Row]:
    """Measure the variants round by round, and return a row for each.

    The first round only warms the file cache; it is not counted. `advance` is told what is measured next.
    """
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    for index in range(rounds + 1):
        for variant in variants:
            if variant.measure:
                advance(variant.name)
                sample = variant.measure()
                if index:
                    samples[variant.name].append(sample)
    return [Row(name=variant.name, samples=samples[variant.name], missing=variant.missing) for variant in variants]
