"""The commands: `python -m local run` and `python -m local up`."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the modules are loaded leaves no traceback

import errno
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from .asynchronous import DEFAULT_MINUTE, KINDS, Clock, Faults, QueueOptions
from .embedded.process import ROOT, Options
from .errors import LocalError
from .picture import picture, recording_console
from .report import show, show_items
from .run import run, up

FAULT_KINDS = {kind.value.replace(" ", "-"): kind for kind in KINDS}


def _queue_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option(
            "--minute",
            type=click.FloatRange(min=0, max=60),
            default=DEFAULT_MINUTE,
            show_default=True,
            help="Real seconds that a minute of Lambda's waiting takes: the pauses between retries and the backoff are "
            "scaled by it. Event age counts those pauses in full, everything else as it is.",
        ),
        click.option(
            "--concurrency",
            type=click.IntRange(1, 1000),
            default=QueueOptions().concurrency,
            show_default=True,
            help="Asynchronous invocations at once, half of them of one function; each may keep an interpreter.",
        ),
        click.option("--duplicate", is_flag=True, help="Deliver each event twice."),
        click.option(
            "--fail-rate",
            type=click.FloatRange(0, 1),
            default=0.0,
            show_default=True,
            help="The share of the calls that fail.",
        ),
        click.option(
            "--fail-as",
            "kinds",
            type=click.Choice(list(FAULT_KINDS)),
            multiple=True,
            help="How those calls fail; may be given more than once.  [default: all of them]",
        ),
        click.option(
            "--throttle-rate",
            type=click.FloatRange(0, 1),
            default=0.0,
            show_default=True,
            help="The share of the table's writes that are throttled; of a batch, each by itself.",
        ),
        click.option(
            "--seed",
            type=int,
            default=0,
            show_default=True,
            help="Which calls fail, and how; which writes are throttled.",
        ),
        click.option("--stop-after", type=click.IntRange(0), help="Deliver nothing more after so many calls."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Run the stack on this machine: an embedded AWS, with IAM, TLS and Lambda's asynchronous queue."""


@cli.command("run")
@click.argument("records", type=click.Path(path_type=Path), default=ROOT / "events" / "records.jsonl")
@click.option("--report", "report_path", type=click.Path(path_type=Path), help="Write the report as JSON too.")
@click.option(
    "--picture",
    "picture_path",
    type=click.Path(path_type=Path),
    help="Write what is printed as an SVG too; the bars then show at their end only.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Records in an event at most, and at most 300 KB of them; one is sent as it stands.",
)
@click.option("--by-file", is_flag=True, help="Drop RECORDS into the bucket of files, as one file.")
@click.option("--items", is_flag=True, help="Show what is stored, too: each item as a line of JSON.")
@_queue_options
def run_command(
    records: Path,
    *,
    report_path: Path | None,
    picture_path: Path | None,
    batch: int,
    by_file: bool,
    items: bool,
    **queue: Any,
) -> None:
    """Deploy, submit each line of RECORDS (default: events/records.jsonl), and report what became of it.

    The functions run on the Python that runs this command, whatever the template names: the container of `sam local
    invoke` has Lambda's own. Ctrl-C ends the run with a report of what was done until then.
    """
    for path in filter(None, (report_path, picture_path)):
        _require_writable(path)
    console = recording_console() if picture_path else _console(stderr=False)
    report = run(records, Options(queue=_options(**queue)), console, batch=batch, by_file=by_file, items=items)
    show(report, console)
    show_items(report, console)
    if report_path:
        _write(report_path, report.json())
    if picture_path:
        _write(picture_path, [picture(console, "make run")])
    if report.unsent is not None:
        raise click.Abort
    if report.problems:
        raise LocalError("; ".join(report.problems))


@cli.command("up")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes a free one.  [default: 0]")
@click.option("--listen", multiple=True, help="An address to listen on beside 127.0.0.1, such as the Docker bridge's.")
@_queue_options
def up_command(port: int, listen: tuple[str, ...], **queue: Any) -> None:
    """Deploy, print the export lines for a shell, and stay up until Ctrl-C."""
    up(Options(port, listen, _options(**queue)), _console(stderr=True))


def _options(*, minute: float, concurrency: int, kinds: tuple[str, ...], **faults: Any) -> QueueOptions:
    chosen = tuple(FAULT_KINDS[kind] for kind in kinds) or KINDS
    return QueueOptions(Clock(minute), Faults(kinds=chosen, **faults), concurrency)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=160)


def _require_writable(path: Path) -> None:
    """Refuse a path before the run that could not be written after it.

    Raises:
        LocalError: It can't be written.
    """
    there = path if path.exists() else path.absolute().parent
    if path.is_dir() or not os.access(there, os.W_OK):
        reason = "Is a directory" if path.is_dir() else os.strerror(errno.EACCES if there.exists() else errno.ENOENT)
        raise LocalError(f"{path} can't be written: {reason}")


def _write(path: Path, pieces: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
    except OSError as error:
        raise LocalError(f"{path} can't be written: {error.strerror or error}") from error


def main() -> int:
    """Run a command; what goes wrong is one sentence, and an interruption cleans up."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except LocalError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except (KeyboardInterrupt, click.Abort):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
