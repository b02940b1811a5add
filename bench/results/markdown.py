"""Tables as Markdown, for docs/performance.md: from the JSON that the command wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.results.show import figure

DRAWN = ("cost",)  # the benches with a picture below their table


def as_markdown(bench: dict[str, Any]) -> str:
    """Write one bench of the JSON as a table: medians, and in brackets the ratio to the peer."""
    metrics = list(dict.fromkeys(metric for row in bench["rows"] for metric in row["metrics"]))
    lines = [
        f"**{bench['title']}** (in brackets: the ratio to {bench['peer']})",
        "",
        f"| | {' | '.join(metrics)} |",
        f"|---|{'--:|' * len(metrics)}",
        *(f"| {row['name']} | {' | '.join(_cells(row, metrics))} |" for row in bench["rows"]),
    ]
    below = [*_targets(bench), *(f"- {note}" for note in bench["notes"])]
    return "\n".join([*lines, "", *(_picture(bench) if bench["name"] in DRAWN else []), *below]).rstrip() + "\n"


def _picture(bench: dict[str, Any]) -> list[str]:
    """Draw each part of each row as a bar, so that what costs most is seen at once."""
    widest = max(measured["median"] for row in bench["rows"] for measured in row["metrics"].values())
    bars = [
        f"{row['name'] if not index else '':24}{metric:12}{'█' * round(40 * measured['median'] / widest)} "
        f"{measured['median']:.2f}"
        for row in bench["rows"]
        for index, (metric, measured) in enumerate(row["metrics"].items())
    ]
    return ["```text", *bars, "```", ""]


def _cells(row: dict[str, Any], metrics: list[str]) -> list[str]:
    if row["missing"]:
        return [str(row["missing"]), *[""] * (len(metrics) - 1)]
    return [_cell(row["metrics"].get(metric)) for metric in metrics]


def _cell(measured: dict[str, Any] | None) -> str:
    if measured is None:
        return ""
    ratio = measured["ratio"]
    return figure(measured["median"]) + ("" if ratio is None else f" ({ratio:.2f})")


def _targets(bench: dict[str, Any]) -> list[str]:
    return [
        f"- Target: {target['metric']} of {target['variant']} at most {target['at_most']:g} times {target['against']}: "
        + ("not measured." if target["met"] is None else f"{target['ratio']:.2f}, {_verdict(target['met'])}.")
        for target in bench["targets"]
    ]


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"


if __name__ == "__main__":
    for _file in sys.argv[1:]:
        for _bench in json.loads(Path(_file).read_text(encoding="utf-8"))["benches"]:
            sys.stdout.write(as_markdown(_bench) + "\n")
