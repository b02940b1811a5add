"""Output for the operator: tables and progress for people on a terminal, plain lines for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from pipeline.terminal.printable import printable
from pipeline.terminal.tables import show_parts, show_table

NAMED = 20  # so many notes of one kind are shown, and the rest counted


class Screen:
    """Standard output for what was asked for, standard error for everything else; or all of it as a JSON document."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.document: dict[str, Any] = {}  # what is printed as JSON at the end
        self._out = Console(file=sys.stdout)
        self._err = Console(file=sys.stderr)
        self._notes: dict[str, int] = {}

    def say(self, text: str) -> None:
        """Print a line of the answer."""
        if self.as_json:
            self._keep("notes", text)
            return
        click.echo(printable(text), file=sys.stdout)

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        styles: Sequence[str] | None = None,
    ) -> None:
        """Print a table, its rows in styles; for programs, lines of fields between tabs, the columns' names first.

        In JSON counts are members by their names, and other rows are objects under the title's or first column's name.
        """
        if self.as_json:
            self._keep_table(title or f"{columns[0]}s", columns, rows)
            return
        texts = ([printable(str(value)) for value in row] for row in rows)
        if self._out.is_terminal:
            show_table(self._out, columns, texts, title=title, styles=styles)
            return
        for line in ([name[:1].lower() + name[1:] for name in columns], *texts):
            click.echo("\t".join(line), file=sys.stdout)

    def note(self, text: str, *, kind: str = "") -> None:
        """Print a line beside the answer; of one kind, only the first ones, and in JSON all."""
        if self.as_json:
            self._keep("notes", text)
            return
        self._notes[kind] = self._notes.get(kind, 0) + 1
        if kind and self._notes[kind] > NAMED:
            return
        if self._err.is_terminal:
            show_parts(self._err, [printable(text)])
        else:
            click.echo(printable(text), file=sys.stderr)

    def close(self) -> None:
        """Say how many notes were not shown; print the JSON document if there is anything in it."""
        if self.document:
            click.echo(json.dumps(self.document), file=sys.stdout)
        for kind, count in list(self._notes.items()):
            if kind and count > NAMED:
                self.note(f"... and {count - NAMED} more: {kind}.")

    def _keep(self, name: str, text: str) -> None:
        if text:
            self.document.setdefault(name, []).append(text)

    def _keep_table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        if columns[1:] == ("Count",):
            self.document.update((_member(str(name)), count) for name, count in rows)
        else:
            names = list(map(_member, columns))
            self.document[_member(title)] = [dict(zip(names, row, strict=True)) for row in rows]

    @contextmanager
    def progress(self, what: str, total: int | None, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
        """Show how much of `total` is done, on a terminal; yields what is to be called with each bit more."""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        if not (shown and self._err.is_terminal):
            yield lambda count: None
            return
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task(what, total=total or None)
            yield lambda count: progress.advance(task, count)


def _member(name: str) -> str:
    return name.lower().replace(" ", "_")
