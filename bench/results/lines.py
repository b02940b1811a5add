"""Pictures of tables as lines: a row is a line through its figures, on a scale of powers of ten."""

from __future__ import annotations

import math
from html import escape

from bench.results.figures import Plot, Row, Table
from bench.results.plots import CHARACTER, COLOURS, WIDTH, document

LEFT, TOP, HEIGHT, FOOT = 64, 44, 250, 30  # pixels: of the scale, of the title, of the lines, of the names below
DECADES = 6  # at most, below the largest figure
NAMES = 17  # pixels, from name to name on the right


def draw(table: Table, plot: Plot) -> str:
    """Draw a line for each row that was measured; what is below the scale, zero too, runs along its foot."""
    rows = [row for row in table.rows if not row.missing]
    values = [row.median(metric) or 0.0 for row in rows for metric in plot.metrics]
    top = math.ceil(math.log10(max([*values, 1e-9])))
    least = min((value for value in values if value > 0), default=1.0)
    bottom = min(top - 1, max(top - DECADES, math.floor(math.log10(least))))
    right = WIDTH - 24 - CHARACTER * max((len(row.name) for row in rows), default=0)
    step = (right - LEFT) / max(1, len(plot.metrics) - 1)

    def height(value: float) -> float:
        power = max(bottom, math.log10(value)) if value > 0 else bottom
        return TOP + HEIGHT * (top - power) / (top - bottom)

    body = [f'<text class="title" x="0" y="18">{escape(table.title)}, {escape(plot.unit)}</text>']
    for power in range(bottom, top + 1):
        body += _grid(height(10.0**power), right, _power(power))
    for index, metric in enumerate(plot.metrics):
        x, y = LEFT + index * step, TOP + HEIGHT + 20
        body.append(f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{escape(metric)}</text>')
    ends = _apart([height(row.median(plot.metrics[-1]) or 0.0) for row in rows])
    for row, colour, end in zip(rows, COLOURS, ends, strict=False):
        points = [
            (LEFT + index * step, height(value))
            for index, metric in enumerate(plot.metrics)
            if (value := row.median(metric)) is not None
        ]
        body += _line(row, colour, points, right + 10, end)
    return document(table.title, TOP + HEIGHT + FOOT, body)


def _grid(y: float, right: float, name: str) -> list[str]:
    return [
        f'<line class="grid" x1="{LEFT}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>',
    ]


def _line(row: Row, colour: str, points: list[tuple[float, float]], x: float, y: float) -> list[str]:
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>',
        *(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points),
        f'<text x="{x:.0f}" y="{y + 4:.1f}" style="fill: {colour}">{escape(row.name)}</text>',
    ]


def _apart(heights: list[float]) -> list[float]:
    """Move the names of lines that end at about the same height apart, without changing their order."""
    order = sorted(range(len(heights)), key=lambda index: heights[index], reverse=True)
    placed, lowest = list(heights), math.inf
    for index in order:
        placed[index] = min(heights[index], lowest - NAMES)
        lowest = placed[index]
    return placed


def _power(power: int) -> str:
    """Write a power of ten as people do."""
    for unit, size in (("G", 9), ("M", 6), ("k", 3)):
        if power >= size:
            return f"{10 ** (power - size)}{unit}"
    return f"{10.0**power:g}"
