"""The document of the results: each table is a section of RESULTS.md, which a later run of its bench replaces."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.results.figures import Row, Table, figure

FILE = Path(__file__).parents[1] / "RESULTS.md"
SECTION = r"(?ms)^## {}\n.*?(?=^## |\Z)"


def as_markdown(table: Table) -> str:
    """Write a table and its remarks; a row without figures says why."""
    lines = [["", *table.metrics()], *([row.name, *_cells(table, row)] for row in table.rows)]
    widths = [max(len(line[place]) for line in lines if place < len(line)) for place in range(len(lines[0]))]
    head, *body = [f"| {' | '.join(_aligned(line, widths))} |" for line in lines]
    rule = f"|{'-' * (widths[0] + 2)}|{'|'.join('-' * (width + 1) + ':' for width in widths[1:])}|"
    against = f" (in brackets: the ratio to {table.peer})" if table.peer else ""
    remarks = [f"- {remark}" for remark in table.remarks()]
    return "\n".join([f"**{table.title}**{against}", "", head, rule, *body, "", *remarks]).rstrip() + "\n"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Align the name to the left and the figures to the right."""
    return [cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]


def _cells(table: Table, row: Row) -> list[str]:
    if row.missing:
        return [row.missing]
    return [_cell(row.median(metric), table.ratio(row.name, metric)) for metric in table.metrics()]


def _cell(value: float | None, ratio: float | None) -> str:
    return figure(value) if ratio is None else f"{figure(value)} ({ratio:.2f})"


def with_table(document: str, table: Table, taken: str) -> str:
    """Put a table into its section, or into a new one at the end; `taken` says when and how it was measured."""
    section = f"## {table.name}\n\n{as_markdown(table)}\n{taken}\n\n"
    replaced, found = re.subn(SECTION.format(re.escape(table.name)), lambda _: section, document)
    return (replaced if found else f"{document.rstrip()}\n\n{section}").rstrip() + "\n"


def figures(document: str, name: str) -> Mapping[str, Mapping[str, float]]:
    """Read a table: its figures by row and metric, without the ratios.

    Raises:
        ValueError: the document has no such table.
    """
    section = re.search(SECTION.format(re.escape(name)), document)
    if not section:
        raise ValueError(f"RESULTS.md must have a section {name!r} (got none): run `make bench ARGS={name}`")
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section[0].splitlines() if line[:1] == "|"]
    (_, *metrics), _, *rows = lines
    return {
        row: {metric: float(cell.split()[0]) for metric, cell in zip(metrics, cells, strict=True) if cell}
        for row, *cells in rows
    }
