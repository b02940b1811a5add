"""Pictures of the tables: bars as SVG, which follow the reader's choice of light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.results.figures import Plot, Row, Table, figure

WIDTH, VALUE = 760, 60  # pixels: of all, of the values on the right
BAR, STEP, HEAD, LEGEND = 18, 27, 34, 24  # pixels: of a bar, from bar to bar, of the title, of the legend's line
CHARACTER = 7.2  # pixels, of a text's average character
# Okabe and Ito's colours, which the colour-blind can tell apart, without those that are lost on white or on black.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.other { fill: #8c959f }
.grid { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .other { fill: #6e7681 } .grid { stroke: #30363d }
}
"""


def draw(table: Table, plot: Plot) -> str:
    """Draw a bar for each row that was measured."""
    rows = [row for row in table.rows if row.median(plot.metrics[0]) is not None]
    left = 8 + CHARACTER * max((len(row.name) for row in rows), default=0)
    scale = (WIDTH - VALUE - left) / (max((_total(row, plot) for row in rows), default=0) or 1)
    legend = _legend(plot.metrics, left) if len(plot.metrics) > 1 else []
    top = HEAD + LEGEND * bool(legend)
    bars = [line for index, row in enumerate(rows) for line in _bar(row, plot, left, top + index * STEP, scale)]
    title = f'<text class="title" x="0" y="18">{escape(table.title)}, {escape(plot.unit)}</text>'
    return document(table.title, top + len(rows) * STEP, [title, *legend, *bars])


def document(title: str, height: int, body: Sequence[str]) -> str:
    """Put a picture together."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", f"<style>\n{STYLE}</style>", *body, "</svg>", ""])


def _bar(row: Row, plot: Plot, left: float, top: int, scale: float) -> list[str]:
    """Draw a row: its name, its parts one after the other, their sum."""
    lines = [f'<text x="{left - 8:.0f}" y="{top + 14}" text-anchor="end">{escape(row.name)}</text>']
    for metric, colour in zip(plot.metrics, COLOURS, strict=False):
        width = (row.median(metric) or 0) * scale
        seen = 'class="other"' if plot.ours and row.name not in plot.ours else f'fill="{colour}"'
        lines.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" {seen}/>')
        left += width
    return [*lines, f'<text x="{left + 6:.1f}" y="{top + 14}">{figure(_total(row, plot))}</text>']


def _legend(parts: Sequence[str], left: float) -> list[str]:
    lines = []
    for part, colour in zip(parts, COLOURS, strict=False):
        lines.append(f'<rect x="{left:.0f}" y="{HEAD}" width="11" height="11" fill="{colour}"/>')
        lines.append(f'<text x="{left + 16:.0f}" y="{HEAD + 10}">{escape(part)}</text>')
        left += 36 + CHARACTER * len(part)
    return lines


def _total(row: Row, plot: Plot) -> float:
    return sum(row.median(metric) or 0 for metric in plot.metrics)
