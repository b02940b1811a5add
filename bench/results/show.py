"""Tables on the terminal: medians, and in brackets how many times the peer's they are."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid

from bench.results.figures import Row, Table


def show(table: Table, console: Console) -> None:
    """Print one bench's table and what became of its targets."""
    caption = f"in brackets: the ratio to {table.peer}"
    grid = Grid(title=table.title, title_justify="left", caption=caption, caption_justify="left")
    grid.add_column("")
    for metric in table.metrics():
        grid.add_column(metric, justify="right")
    for row in table.rows:
        grid.add_row(row.name, *_cells(table, row))
    console.print(grid)
    missing = [f"{row.name}: {row.missing}" for row in table.rows if row.missing]
    for line in [*missing, *_targets(table), *table.notes]:
        console.print(line, highlight=False)
    console.print()


def _cells(table: Table, row: Row) -> list[str]:
    return [_cell(row.median(metric), table.ratio(row.name, metric)) for metric in table.metrics()]


def _cell(value: float | None, ratio: float | None) -> str:
    return figure(value) if ratio is None else f"{figure(value)} ({ratio:.2f})"


def figure(value: float | None) -> str:
    """Write a value with three digits that count."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _targets(table: Table) -> list[str]:
    lines = []
    for target in table.targets:
        ratio = table.ratio(target.variant, target.metric, target.against)
        verdict = "not measured" if ratio is None else "met" if ratio <= target.at_most else "missed"
        shown = "" if ratio is None else f" {ratio:.2f}"
        lines.append(
            f"{verdict}: {target.metric} of {target.variant}{shown}, at most {target.at_most:g} times {target.against}"
        )
    return lines
