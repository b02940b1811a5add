"""The pictures of RESULTS.md: `python -m bench.results.pictures` draws them, with the packages of requirements.txt."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot

from bench.results import document

FOLDER = document.FILE.with_name("pictures")
# Okabe and Ito's colours, which the colour-blind can tell apart, without those that are lost on white or on black.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
OURS, OTHER, INK = "#0072b2", "#8c959f", "#6e7781"
DARK = "<style>@media (prefers-color-scheme: dark) { text { fill: #c9d1d9 !important } }</style>"
SETTINGS = {
    **dict.fromkeys(("axes.spines.right", "axes.spines.top", "legend.frameon"), False),
    **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), "#24292f"),
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "svg.fonttype": "none",  # text stays text, which the style above can colour
    "svg.hashsalt": "bench",  # the same figures, the same bytes
}

PICTURES = {  # by name: the title, the table, the metrics
    "starts": ("Cold start of the processor over TLS at 0.29 CPU (ms)", "cold-tls-limited", ["cold (ms)"]),
    "batches": ("A million records, by the records in an event (USD)", "batch-cost",
                ["table", "requests", "compute", "log", "traces"]),
    "fates": ("A day's records as deployed by default (%)", "scale", ["stored (%)", "dead letters (%)", "waiting (%)"]),
    "processors": ("Processors at once that a load needs", "scale", ["processors needed"]),
}  # fmt: skip

Figures = Mapping[str, Mapping[str, float]]


def bars(axes: Any, figures: Figures, metrics: Sequence[str]) -> None:
    """Draw a bar for each row, of one metric or of several that add up; of one, our bar stands out."""
    left = [0.0] * len(figures)
    for metric in metrics:
        widths = [row.get(metric, 0.0) for row in figures.values()]
        colour = [OURS if name == "this project" else OTHER for name in figures] if len(metrics) == 1 else None
        drawn = axes.barh(list(figures), widths, left=left, label=metric, color=colour)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    axes.bar_label(drawn, [f"{total:.3g}" for total in left], padding=3)
    axes.invert_yaxis()
    if len(metrics) > 1:
        axes.legend(ncols=len(metrics), loc="lower center", bbox_to_anchor=(0.4, 1.0))


def lines(axes: Any, figures: Figures, metric: str) -> None:
    """Draw a metric by the load, a line for single events and one for batches, on scales of powers of ten."""
    for size in dict.fromkeys(name.partition("/s")[2] for name in figures):
        points = {
            float(name.partition("/s")[0].replace(",", "")): row[metric]
            for name, row in figures.items()
            if name.partition("/s")[2] == size
        }
        axes.loglog(list(points), list(points.values()), marker="o", label=size.strip(", ") or "single events")
    axes.set_xlabel("records a second")
    axes.legend()


def draw(name: str, title: str, figures: Figures, metrics: Sequence[str]) -> None:
    """Draw a picture, and write it as SVG without a date."""
    figure, axes = pyplot.subplots(figsize=(7.6, 3.6), layout="constrained")
    axes.set_title(title, loc="left", fontweight="bold", pad=24)
    if "processors needed" in metrics:
        lines(axes, figures, *metrics)
    else:
        bars(axes, figures, metrics)
    path = FOLDER / f"{name}.svg"
    figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    text = re.sub(r"(?s)(<svg .*?>)", rf"\1{DARK}", path.read_text(encoding="utf-8"), count=1)
    path.write_text(re.sub(r"(?m)[ \t]+$", "", text), encoding="utf-8")


def main(results: Path = document.FILE) -> None:
    """Draw all pictures anew."""
    text = results.read_text(encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    with matplotlib.rc_context(SETTINGS):
        for name, (title, table, metrics) in PICTURES.items():
            draw(name, title, document.figures(text, table), metrics)


if __name__ == "__main__":
    main()
