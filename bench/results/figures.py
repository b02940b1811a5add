"""Figures: what was measured in how many rounds, its medians, and the ratios that goals are set on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any, Self

Sample = Mapping[str, float]  # metric -> value, as one round gives it


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a figure has to reach: a limit of its own, or of its ratio to the variant that it is set against."""

    variant: str
    metric: str
    against: str = ""
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.at_most, self.at_least) if limit is not None]
        if len(limits) != 1 or limits[0] <= 0:
            raise ValueError(f"a goal must have one limit above 0 (got {limits})")

    def met_by(self, value: float) -> bool:
        """Say whether a figure reaches it."""
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0)

    def sentence(self, value: float | None) -> str:
        """Say what became of it."""
        limit = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        times = f" times {self.against}" if self.against else ""
        if value is None:
            return f"Not measured: {self.metric} of {self.variant}; the goal is {limit}{times}."
        verdict, found = ("Met" if self.met_by(value) else "Missed"), f"{value:.2f}" if times else figure(value)
        return f"{verdict}: {self.metric} of {self.variant} is {found}{times}; the goal is {limit}."


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


@dataclass(frozen=True)
class Plot:
    """What of a table is drawn: one metric, or several that add up to one bar; or each row as a line through them.

    `ours` are the rows to be seen among the others; empty: all alike.
    """

    metrics: Sequence[str]
    unit: str
    ours: Sequence[str] = ()
    lines: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """The figures of one bench: variants side by side, of which one may be the peer that the ratios refer to."""

    name: str
    title: str
    rows: Sequence[Row]
    peer: str = ""
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()
    plot: Plot | None = None

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
        if not (against or self.peer):
            return None
        rounds = zip(self.row(variant).samples, self.row(against or self.peer).samples, strict=False)
        ratios = [mine[metric] / other[metric] for mine, other in rounds if metric in mine and other.get(metric)]
        return median(ratios) if ratios else None

    def reached(self, goal: Goal) -> float | None:
        """Return the figure that a goal is set on; None where it was not measured."""
        if goal.against:
            return self.ratio(goal.variant, goal.metric, goal.against)
        return self.row(goal.variant).median(goal.metric)

    def remarks(self) -> list[str]:
        """Return what stands below the table: what became of its goals, and its notes."""
        return [*(goal.sentence(self.reached(goal)) for goal in self.goals), *self.notes]

    def as_json(self) -> dict[str, Any]:
        """Return everything, each round's values too, and what follows from them, for later comparison."""
        figures = {
            row.name: {m: {"median": row.median(m), "ratio": self.ratio(row.name, m)} for m in row.metrics()}
            for row in self.rows
        }
        return {**asdict(self), "figures": figures, "remarks": self.remarks()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Make the table again that such a document was written of."""
        return cls(
            **{key: document[key] for key in ("name", "title", "peer", "notes")},
            rows=[Row(**row) for row in document["rows"]],
            goals=[Goal(**goal) for goal in document["goals"]],
            plot=Plot(**document["plot"]) if document["plot"] else None,
        )


def figure(value: float | None) -> str:
    """Write a value with three digits that count; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of the values does not exceed (nearest rank)."""
    if not values or not 0 < share <= 1:
        raise ValueError(f"a percentile needs values and a share above 0 up to 1 (got {len(values)} values, {share})")
    ranked = sorted(values)
    return ranked[ceil(len(ranked) * share) - 1]
