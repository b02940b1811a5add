"""What the commands do: run the whole pipeline once, or keep it up."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline import project
from pipeline.stack import ENTRY, Stack

from . import by_file as files
from .deploy import PARAMETERS, WITH_FILES, build, deploy
from .embedded.process import EmbeddedAws, Options
from .lines import Lines
from .packing import pack
from .reconcile import Fate, Ledger
from .report import READER, Report
from .results import read_items, take_failures
from .submit import Submission, submit

POLL = 0.1
"""Seconds between two looks at the queue."""
TOLD_EVERY = 10
"""Seconds between two lines about the progress."""

T = TypeVar("T")


def run(
    records: Path, options: Options, console: Console, *, batch: int = 1, by_file: bool = False, items: bool = False
) -> Report:
    """Run the records through a pipeline of their own, so many in an event at most, or by the bucket of files.

    The report keeps the stored items only where they are asked for.

    Raises:
        LocalError: It could not be run.
    """
    lines = Lines(records)
    with deployed(options, console, WITH_FILES if by_file else PARAMETERS) as (aws, stack):
        if by_file:
            return feed_by_file(aws, stack, records, lines, console, items=items)
        return feed(aws, stack, lines, console, batch=batch, items=items)


def up(options: Options, console: Console) -> None:
    """Deploy, print the `export` lines on standard output, and stay up until interrupted.

    Raises:
        LocalError: It could not be deployed.
    """
    with deployed(options, console, WITH_FILES) as (aws, stack):
        for name, value in {**aws.environment, "TABLE_NAME": stack.table}.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - for the caller's shell
        console.print(f"Up at {aws.endpoint}; Ctrl-C ends it.", highlight=False)
        while True:
            aws.queue_state()  # raises when it has ended by itself
            time.sleep(1)


@contextmanager
def deployed(
    options: Options, console: Console, parameters: Mapping[str, str] = PARAMETERS
) -> Iterator[tuple[EmbeddedAws, Stack]]:
    """Start an embedded AWS with the stack deployed; the build goes on while it starts."""
    root = project.root()
    aws = EmbeddedAws(options)
    aws.start()
    try:
        with step("build", console):
            template = build(aws.workspace, root=root)
        with step("start", console):
            aws.wait_until_ready()
        with step("deploy", console):
            stack = deploy(aws, template, root=root, parameters=parameters)
        yield aws, stack
    finally:
        aws.end()


def feed(
    aws: EmbeddedAws, stack: Stack, lines: Lines, console: Console, *, batch: int = 1, items: bool = False
) -> Report:
    """Submit lines, so many in an event at most, wait until the queue has drained, and find what became of them."""
    ledger = Ledger(showing_items=items)
    started = time.monotonic()

    def send(progress: Progress) -> None:
        note = _noting(ledger, progress, len(lines))
        submit(aws.client("lambda"), stack.aliases[ENTRY], pack(lines, batch), note)

    state, stopped = _work_off(aws, console, send)
    seconds = time.monotonic() - started
    _judge(aws, stack, ledger, console)
    unsent = len(lines) - ledger.count(*Fate) if stopped else None
    return Report(ledger, seconds, state, unsent=unsent)


def feed_by_file(
    aws: EmbeddedAws, stack: Stack, path: Path, lines: Lines, console: Console, *, items: bool = False
) -> Report:
    """Drop a file of lines into the bucket, wait until the queue has drained, and find what became of the lines."""
    ledger = Ledger(showing_items=items)
    started = time.monotonic()
    client, bucket = aws.client("s3"), stack.bucket
    key = files.drop(client, bucket, path)
    state, stopped = _work_off(aws, console, lambda _: files.wait_until_read(aws.queue_state))
    seconds = time.monotonic() - started
    if told := files.report_of(client, bucket, key):
        console.print(f"The reader's report: {json.dumps(told)}", highlight=False)
    _judge(aws, stack, ledger, console, files.submissions(client, bucket, key, lines))
    return Report(ledger, seconds, state, READER, unsent=0 if stopped else None)


def _work_off(aws: EmbeddedAws, console: Console, begin: Callable[[Progress], None]) -> tuple[dict[str, Any], bool]:
    """Begin, and wait until the queue has drained; return its last state, and whether that was interrupted."""
    with _progress(console) as progress:
        try:
            begin(progress)
            return _drain(aws, progress), False
        except KeyboardInterrupt:
            return aws.queue_state(), True


def _noting(ledger: Ledger, progress: Progress, number: int) -> Callable[[Sequence[Submission]], None]:
    """Return what notes submissions, with progress in lines of so many."""
    bar = progress.add_task("submit", total=number)
    tell = _teller(progress.console, "submit")

    def note(submissions: Sequence[Submission]) -> None:
        ledger.add(submissions)
        progress.advance(bar, len(submissions))
        tell(f"{progress.tasks[bar].completed:.0f} of {number} lines")

    return note


def _teller(console: Console, name: str) -> Callable[[str], None]:
    """Return what says now and then how far a step is, where no bar can be drawn."""
    said = time.monotonic()

    def tell(how_far: str) -> None:
        nonlocal said
        if not console.is_terminal and time.monotonic() - said > TOLD_EVERY:
            console.print(f"{name:<8} {how_far}", highlight=False)
            said = time.monotonic()

    return tell


def _telling(console: Console, what: str, found: Iterable[T]) -> Iterator[T]:
    """Say now and then how much was found for the report."""
    tell = _teller(console, "report")
    for count, one in enumerate(found, start=1):
        tell(f"{count} {what}")
        yield one


def _drain(aws: EmbeddedAws, progress: Progress) -> dict[str, Any]:
    """Wait until no event is left in the queue, or it delivers nothing more."""
    bar = progress.add_task("drain", total=None)
    tell = _teller(progress.console, "drain")
    while True:
        state = aws.queue_state()
        tell(f"{state['ended']} of {state['accepted']} events")
        progress.update(bar, completed=state["ended"], total=state["accepted"])
        if not state["open"] or state["stopped"]:
            return state
        time.sleep(POLL)


def _judge(
    aws: EmbeddedAws, stack: Stack, ledger: Ledger, console: Console, submissions: Iterable[Submission] = ()
) -> None:
    """Find what became of the lines, those of these submissions too, by the table and the dead-letter queue."""
    with step("report", console):
        ledger.add(_telling(console, "lines", submissions))
        items = read_items(aws.client("dynamodb"), stack.table)
        letters = take_failures(aws.client("sqs"), stack)
        ledger.judge(_telling(console, "items", items), _telling(console, "dead letters", letters))


@contextmanager
def step(name: str, console: Console) -> Iterator[None]:
    """Show which step it is, and how long it took."""
    started = time.monotonic()
    with console.status(f"{name} ..."):
        yield
    console.print(f"{name:<8} {time.monotonic() - started:5.1f} s", highlight=False)


def _progress(console: Console) -> Progress:
    columns: list[Any] = [TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    return Progress(*columns, console=console)
