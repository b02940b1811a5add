"""Tables of medians, in brackets how many times the peer's they are: on the terminal, and as Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid

from bench.results.figures import Row, Table, figure


def show(table: Table, console: Console) -> None:
    """Print one bench's table, what is missing and why, and what became of its goals."""
    caption = f"in brackets: the ratio to {table.peer}" if table.peer else None
    grid = Grid(title=table.title, title_justify="left", caption=caption, caption_justify="left")
    grid.add_column("")
    for metric in table.metrics():
        grid.add_column(metric, justify="right")
    for row in table.rows:
        grid.add_row(row.name, *_cells(table, row))
    console.print(grid)
    missing = [f"{row.name}: {row.missing}" for row in table.rows if row.missing]
    for line in [*missing, *table.remarks()]:
        console.print(line, highlight=False)
    console.print()


def as_markdown(table: Table) -> str:
    """Write one bench's table and its remarks; a row without figures says why."""
    metrics = table.metrics()
    lines = [
        f"**{table.title}**" + (f" (in brackets: the ratio to {table.peer})" if table.peer else ""),
        "",
        f"| | {' | '.join(metrics)} |",
        f"|---|{'--:|' * len(metrics)}",
        *(f"| {row.name} | {' | '.join(_markdown_cells(table, row))} |" for row in table.rows),
        "",
        *(f"- {remark}" for remark in table.remarks()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_cells(table: Table, row: Row) -> list[str]:
    cells = _cells(table, row)
    return [row.missing, *cells[1:]] if row.missing else cells


def _cells(table: Table, row: Row) -> list[str]:
    return [_cell(row.median(metric), table.ratio(row.name, metric)) for metric in table.metrics()]


def _cell(value: float | None, ratio: float | None) -> str:
    return figure(value) if ratio is None else f"{figure(value)} ({ratio:.2f})"
