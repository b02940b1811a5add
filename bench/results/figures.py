"""Figures: what was measured in how many rounds, its medians, and the ratios that targets are set on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Any

Sample = Mapping[str, float]  # metric -> value, as one round gives it


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a figure has to reach: at most so many times the one that it is compared with."""

    variant: str
    metric: str
    against: str
    at_most: float

    def __post_init__(self) -> None:
        if self.at_most <= 0:
            raise ValueError(f"a target must be a ratio above 0 (got {self.at_most})")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant's samples, one a round; or why there are none."""

    name: str
    samples: Sequence[Sample] = ()
    missing: str = ""

    def __post_init__(self) -> None:
        if bool(self.samples) == bool(self.missing):
            raise ValueError(f"{self.name!r} must have either samples or a reason why it has none")

    def median(self, metric: str) -> float | None:
        """Return the median over the rounds; None where nothing was measured."""
        values = [sample[metric] for sample in self.samples if metric in sample]
        return median(values) if values else None

    def metrics(self) -> list[str]:
        """Return the names of what was measured, in the order of measuring."""
        return list(dict.fromkeys(metric for sample in self.samples for metric in sample))


@dataclass(frozen=True, kw_only=True)
class Table:
    """The figures of one bench: variants side by side, of which one is the peer that the ratios refer to."""

    name: str
    title: str
    peer: str
    rows: Sequence[Row]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = field(default=())

    def row(self, name: str) -> Row:
        """Return the row of a variant."""
        return next(row for row in self.rows if row.name == name)

    def metrics(self) -> list[str]:
        """Return what any row measured, in order."""
        return list(dict.fromkeys(metric for row in self.rows for metric in row.metrics()))

    def ratio(self, variant: str, metric: str, against: str | None = None) -> float | None:
        """Return how many times the peer's figure a variant's is, as the median of the rounds' own ratios.

        A round measures both within seconds, so a machine whose speed changes from round to round changes no ratio;
        None where either is missing.
        """
        rounds = zip(self.row(variant).samples, self.row(against or self.peer).samples, strict=False)
        ratios = [mine[metric] / other[metric] for mine, other in rounds if metric in mine and other.get(metric)]
        return median(ratios) if ratios else None

    def as_json(self) -> dict[str, Any]:
        """Return everything, each round's value too, for later comparison."""
        return {
            "name": self.name,
            "title": self.title,
            "peer": self.peer,
            "rows": [self._row_as_json(row) for row in self.rows],
            "targets": [self._target_as_json(target) for target in self.targets],
            "notes": list(self.notes),
        }

    def _row_as_json(self, row: Row) -> dict[str, Any]:
        return {
            "name": row.name,
            "missing": row.missing or None,
            "metrics": {
                metric: {
                    "median": row.median(metric),
                    "ratio": self.ratio(row.name, metric),
                    "values": [sample[metric] for sample in row.samples if metric in sample],
                }
                for metric in row.metrics()
            },
        }

    def _target_as_json(self, target: Target) -> dict[str, Any]:
        ratio = self.ratio(target.variant, target.metric, target.against)
        return {
            "variant": target.variant,
            "metric": target.metric,
            "against": target.against,
            "at_most": target.at_most,
            "ratio": ratio,
            "met": None if ratio is None else ratio <= target.at_most,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of the values does not exceed (nearest rank)."""
    if not values or not 0 < share <= 1:
        raise ValueError(f"a percentile needs values and a share above 0 up to 1 (got {len(values)} values, {share})")
    ranked = sorted(values)
    return ranked[ceil(len(ranked) * share) - 1]
