"""Tables as people read them on a terminal: whatever its width, no value is cut off."""

from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

FOLDED = 23  # the narrowest that a long last column may become
BETWEEN = 2  # spaces between columns


def show_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    styles: Sequence[str] | None = None,
) -> None:
    """Print a table, its rows in styles; where it is too wide, each row as names and values, as many as fit a line."""
    lines = list(rows)
    styles = styles or [""] * len(lines)
    if title:
        show_parts(console, [title], style="italic")
    if not _fits(columns, lines, console.width):
        _show_one_by_one(console, columns, lines, styles)
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, BETWEEN - 1, 0, 0), pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name != columns[-1])
    for line, style in zip(lines, styles, strict=True):
        table.add_row(*(Text(value) for value in line), style=style)
    console.print(table)
    console.print()


def show_parts(console: Console, parts: Sequence[str], *, between: str = " ", style: str = "") -> None:
    """Print parts of a text, as many as fit on each line, and one that is too long broken between its words.

    A word that is longer than a line stays in one piece, which the terminal breaks: so it can be copied.
    """
    width = console.width
    for line in _filled(parts, between, width):
        for some in _filled(line.split(" "), " ", width) if cell_len(line) > width else [line]:
            console.print(Text(some, style), soft_wrap=True)


def _show_one_by_one(
    console: Console, columns: Sequence[str], lines: Sequence[Sequence[str]], styles: Sequence[str]
) -> None:
    for line, style in zip(lines, styles, strict=True):
        named = zip(columns, line, strict=True)
        show_parts(console, [f"{name}: {value}" for name, value in named if value], between="  ", style=style)
        console.print()


def _fits(columns: Sequence[str], lines: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether there is room for whole values in all columns but the last, which may fold between words."""
    *widths, last = [max(map(cell_len, cells)) for cells in zip(columns, *lines, strict=True)]
    words = (word for line in lines for word in line[-1].split())
    narrowest = max(min(last, FOLDED), max(map(cell_len, words), default=0))
    return sum(widths) + BETWEEN * len(widths) + narrowest <= width


def _filled(parts: Iterable[str], between: str, width: int) -> Iterator[str]:
    line = ""
    for part in parts:
        if line and cell_len(line + between + part) > width:
            yield line
            line = ""
        line += between * bool(line) + part
    if line:
        yield line
