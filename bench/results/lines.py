"""Pictures of tables as lines: a row is a line through its figures, on a scale of powers of ten."""

from __future__ import annotations

import math
from html import escape

from bench.results.figures import Plot, Row, Table
from bench.results.plots import CHARACTER, COLOURS, WIDTH, document

LEFT, TOP, HEIGHT, FOOT = 64, 44, 250, 30  # pixels: of the scale, of the title, of the lines, of the names below
DECADES = 8  # at most, below the largest figure
NAMES = 17  # pixels, from name to name on the right
THIN, WIDER = 2, 0.9  # pixels: of the last line, and by how much each before it is wider

Point = tuple[float, float]


def draw(table: Table, plot: Plot) -> str:
    """Draw a line for each row that was measured; what is nothing, or below the scale, runs along its foot."""
    rows = [row for row in table.rows if not row.missing]
    bottom, top = _powers([row.median(metric) or 0.0 for row in rows for metric in plot.metrics])
    right = WIDTH - 24 - CHARACTER * max((len(row.name) for row in rows), default=0)
    step = (right - LEFT) / max(1, len(plot.metrics) - 1)

    def height(value: float) -> float:
        power = max(bottom, math.log10(value)) if value > 0 else bottom
        return TOP + HEIGHT * (top - power) / (top - bottom)

    body = [f'<text class="title" x="0" y="18">{escape(table.title)}, {escape(plot.unit)}</text>']
    for power in range(bottom, top + 1):
        body += _grid(height(10.0**power), right, _power(power) if power > bottom else "0")
    for index, metric in enumerate(plot.metrics):
        x, y = LEFT + index * step, TOP + HEIGHT + 20
        body.append(f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{escape(metric)}</text>')
    ends = _apart([height(row.median(plot.metrics[-1]) or 0.0) for row in rows])
    for index, (row, end) in enumerate(zip(rows, ends, strict=True)):
        points = [
            (LEFT + place * step, height(value))
            for place, metric in enumerate(plot.metrics)
            if (value := row.median(metric)) is not None
        ]
        colour, width = COLOURS[index % len(COLOURS)], THIN + WIDER * (len(rows) - 1 - index)
        body += _line(row, colour, width, points, (right + 10, end))
    return document(table.title, TOP + HEIGHT + FOOT, body)


def _powers(values: list[float]) -> tuple[int, int]:
    """Return the powers of ten of the scale's foot, which stands for nothing, and of its top."""
    top = math.ceil(math.log10(max([*values, 1e-9])))
    least = min((value for value in values if value > 0), default=1.0)
    return max(top - DECADES, min(math.ceil(math.log10(least)), top) - 1), top


def _grid(y: float, right: float, name: str) -> list[str]:
    return [
        f'<line class="grid" x1="{LEFT}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>',
    ]


def _line(row: Row, colour: str, width: float, points: list[Point], end: Point) -> list[str]:
    """Draw a row; one that is covered by a later one is wider than that, and still seen."""
    path, (x, y) = " ".join(f"{px:.1f},{py:.1f}" for px, py in points), end
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:.1f}"/>',
        f'<text x="{x:.0f}" y="{y + 4:.1f}" style="fill: {colour}">{escape(row.name)}</text>',
    ]


def _apart(heights: list[float]) -> list[float]:
    """Move the names of lines that end at about the same height apart: up from the foot, and down from the top."""
    order, placed = sorted(range(len(heights)), key=lambda index: heights[index]), list(heights)
    for lower, upper in zip(order[::-1], order[-2::-1], strict=False):
        placed[upper] = min(placed[upper], placed[lower] - NAMES)
    limit = float(TOP)
    for index in order:
        placed[index] = max(placed[index], limit)
        limit = placed[index] + NAMES
    return placed


def _power(power: int) -> str:
    """Write a power of ten as people do."""
    for unit, size in (("G", 9), ("M", 6), ("k", 3)):
        if power >= size:
            return f"{10 ** (power - size)}{unit}"
    return f"{10.0**power:g}"
