"""The command `up`."""

import json
import shlex
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline import project
from pipeline.commands.shared.feeding import feed, judged
from pipeline.commands.shared.local_options import console, queue_of, queue_options
from pipeline.commands.shared.report import RunReport, outcome_table
from pipeline.errors import EXIT_CODES, MisuseError
from pipeline.local.deploy import WITH_FILES
from pipeline.local.embedded.process import EmbeddedAws, Options
from pipeline.local.run import deployed, exports
from pipeline.local.watch import Change, Project, changes, clear, saved
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source
from pipeline.stack import Stack
from pipeline.terminal.tables import show_table


@click.command("up", epilog=EXIT_CODES)
@click.argument("records", type=click.Path(path_type=Path), required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 is a free one.")
@click.option("--listen", multiple=True, help="Also listen on this address, such as the Docker bridge's.")
@click.option("--json", "as_json", is_flag=True, help="Print the variables as a JSON object.")
@click.option(
    "--watch", is_flag=True, help="Make each saved change live, send RECORDS again, and show first what changed."
)
@queue_options
def up(records: Path | None, *, port: int, listen: tuple[str, ...], as_json: bool, watch: bool, **queue: Any) -> None:
    """Keep the pipeline up on an embedded AWS until Ctrl-C.

    The command prints the export lines that let another shell use this AWS.

    With --watch, a saved handler is live within seconds, and a saved model after a deployment. Each time RECORDS are
    sent again, to an empty table. The command shows a mistake, and goes on.
    """
    if records and not watch:
        raise MisuseError("RECORDS can be given only with --watch: use `pipeline run` or `pipeline submit` otherwise.")
    screen, options = console(stderr=True), Options(port, listen, queue_of(**queue))
    before = saved(project.root()) if watch else {}  # a file that is saved during the deployment is a change, too
    with ExitStack() as opened:
        source = opened.enter_context(Source(records)) if records else None
        aws, stack = opened.enter_context(deployed(options, screen, WITH_FILES))
        variables = exports(aws, stack)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        click.echo(json.dumps(variables) if as_json else "\n".join(lines))
        screen.print(f"Up at {aws.endpoint}; Ctrl-C ends it.", highlight=False)
        if watch:
            _watch(aws, stack, before, Sender(aws, options, source, screen) if source else None, screen)
        while True:
            _pause(aws, 1)


class Sender:
    """Sends records after each change, and shows what became of them."""

    def __init__(self, aws: EmbeddedAws, options: Options, source: Source, screen: Console) -> None:
        self._aws, self._options, self._source, self._screen = aws, options, source, screen
        self._before: list[tuple[str, ...]] | None = None

    def send(self, stack: Stack) -> None:
        """Send the records through an empty stack; rows that are not as they were before come first."""
        clear(self._aws, stack, self._options.queue)
        with Outcomes() as outcomes:
            fed = feed(self._aws, stack, self._source, self._screen)
            report = judged(self._aws, stack, fed, outcomes, self._screen)
            self._show(report)

    def _show(self, report: RunReport) -> None:
        table = outcome_table(report.outcomes)
        before, rows = self._before, list(zip(table.rows, table.styles, strict=True))
        self._before = list(table.rows)
        if before is not None:
            rows = [(("changed" if row not in before else "", *row), style) for row, style in rows]
            rows.sort(key=lambda item: not item[0][0])
        columns = table.columns if before is None else ("", *table.columns)
        show_table(self._screen, columns, [row for row, _ in rows], styles=[style for _, style in rows])


def _watch(aws: EmbeddedAws, stack: Stack, before: Mapping[Path, int], sender: Sender | None, screen: Console) -> None:
    root = project.root()
    watched = Project(root, aws, stack, WITH_FILES, screen)
    screen.print(f"Watching {root}", highlight=False)
    if sender:
        sender.send(watched.stack)
    for change in changes(root, before, wait=partial(_pause, aws)):
        began = time.monotonic()
        screen.print(f"\nSaved: {_named(change)}", highlight=False)
        if watched.apply(change):
            screen.print(f"Live after {time.monotonic() - began:.1f} s", highlight=False)
            if sender:
                sender.send(watched.stack)


def _pause(aws: EmbeddedAws, seconds: float) -> None:
    """Wait, and look whether the embedded AWS is still there."""
    time.sleep(seconds)
    aws.queue_state()


def _named(change: Change) -> str:
    names = [str(path) for path in change.files]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
