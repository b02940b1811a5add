"""Figures: what was measured in how many rounds, its medians, and the ratios that goals are set on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

Sample = Mapping[str, float]  # metric -> value, as one round gives it


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A limit for a figure, or for its ratio to the variant that it is set against."""

    variant: str
    metric: str
    against: str = ""
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f"a goal must have one limit (got {self.at_most} and {self.at_least})")

    def sentence(self, value: float | None) -> str:
        """Say whether the goal was met."""
        limit = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        times = f" times {self.against}" if self.against else ""
        if value is None:
            return f"Not measured: {self.metric} of {self.variant}; the goal is {limit}{times}."
        met = value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0)
        verdict, found = ("Met" if met else "Missed"), f"{value:.2f}" if times else figure(value)
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
        """Return the median over the rounds; None if nothing was measured."""
        values = [sample[metric] for sample in self.samples if metric in sample]
        return median(values) if values else None

    def metrics(self) -> list[str]:
        """Return the names of what was measured, in the order of measuring."""
        return list(dict.fromkeys(metric for sample in self.samples for metric in sample))


@dataclass(frozen=True, kw_only=True)
class Table:
    """The figures of one bench: variants side by side, of which one may be the peer that the ratios refer to."""

    name: str
    title: str
    rows: Sequence[Row]
    peer: str = ""
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()

    def row(self, name: str) -> Row:
        """Return the row of a variant."""
        return next(row for row in self.rows if row.name == name)

    def metrics(self) -> list[str]:
        """Return what any row measured, in order."""
        return list(dict.fromkeys(metric for row in self.rows for metric in row.metrics()))

    def ratio(self, variant: str, metric: str, against: str = "") -> float | None:
        """Return how many times the peer's figure a variant's is, as the median of the rounds' own ratios.

        A round measures both within seconds, so a machine whose speed changes from round to round changes no ratio.
        """
        other = against or self.peer
        if not other:
            return None
        rounds = zip(self.row(variant).samples, self.row(other).samples, strict=False)
        ratios = [mine[metric] / theirs[metric] for mine, theirs in rounds if metric in mine and theirs.get(metric)]
        return median(ratios) if ratios else None

    def reached(self, goal: Goal) -> float | None:
        """Return the figure that a goal is set on; None if it was not measured."""
        if goal.against:
            return self.ratio(goal.variant, goal.metric, goal.against)
        return self.row(goal.variant).median(goal.metric)

    def remarks(self) -> list[str]:
        """Return what stands below the table: whether its goals were met, and its notes."""
        return [*(goal.sentence(self.reached(goal)) for goal in self.goals), *self.notes]

    def as_json(self) -> dict[str, Any]:
        """Return everything, each round's values too, for later comparison."""
        figures = {
            row.name: {m: {"median": row.median(m), "ratio": self.ratio(row.name, m)} for m in row.metrics()}
            for row in self.rows
        }
        return {**asdict(self), "figures": figures, "remarks": self.remarks()}


def figure(value: float | None) -> str:
    """Write a value with three digits that count; nothing if there is none."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
