"""What the commands do: run the whole pipeline once, or keep it up."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deployed import ENTRY, Stack

from . import by_file as files
from .deploy import PARAMETERS, WITH_FILES, build, deploy
from .embedded.process import EmbeddedAws, Options
from .packing import pack
from .reconcile import read_items, reconcile, take_failures
from .report import READER, Report
from .submit import Line, Submission, read_lines, submit

POLL = 0.1
"""Seconds between two looks at the queue."""
TOLD_EVERY = 10
"""Seconds between two lines about the progress."""


def run(records: Path, options: Options, console: Console, *, batch: int = 1, by_file: bool = False) -> Report:
    """Run the records through a pipeline of their own, so many in an event at most, or by the bucket of files.

    Raises:
        LocalError: It could not be run.
    """
    lines = read_lines(records)
    with deployed(options, console, WITH_FILES if by_file else PARAMETERS) as (aws, stack):
        if by_file:
            return feed_by_file(aws, stack, records, lines, console)
        return feed(aws, stack, lines, console, batch=batch)


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
    aws = EmbeddedAws(options)
    aws.start()
    try:
        with step("build", console):
            template = build(aws.workspace)
        with step("start", console):
            aws.wait_until_ready()
        with step("deploy", console):
            stack = deploy(aws, template, parameters=parameters)
        yield aws, stack
    finally:
        aws.end()


def feed(aws: EmbeddedAws, stack: Stack, lines: Sequence[Line], console: Console, *, batch: int = 1) -> Report:
    """Submit lines, so many in an event at most, wait until the queue has drained, and find what became of them."""
    started = time.monotonic()
    submissions: list[Submission] = []
    unsent = None
    with _progress(console) as progress:
        bar = progress.add_task("submit", total=len(lines))
        sent = submit(
            aws.client("lambda"), stack.aliases[ENTRY], pack(lines, batch), lambda done: progress.advance(bar, done)
        )
        try:
            with closing(sent):  # nothing more is sent once it is interrupted
                for submission in _told(sent, len(lines), console):
                    submissions.append(submission)
            state = _drain(aws, progress)
        except KeyboardInterrupt:
            state, unsent = aws.queue_state(), len(lines) - len(submissions)
    seconds = time.monotonic() - started
    with step("report", console):
        return _report(aws, stack, submissions, state, seconds)._replace(unsent=unsent)


def _told(submissions: Iterable[Submission], number: int, console: Console) -> Iterator[Submission]:
    """Say now and then how many of the lines were submitted, where no bar can be drawn."""
    said = time.monotonic()
    for done, submission in enumerate(submissions, start=1):
        if not console.is_terminal and time.monotonic() - said > TOLD_EVERY:
            console.print(f"submit   {done} of {number} lines", highlight=False)
            said = time.monotonic()
        yield submission


def feed_by_file(aws: EmbeddedAws, stack: Stack, path: Path, lines: Sequence[Line], console: Console) -> Report:
    """Drop a file of lines into the bucket, wait until the queue has drained, and find what became of the lines."""
    started = time.monotonic()
    client, bucket = aws.client("s3"), stack.bucket
    key = files.drop(client, bucket, path)
    files.wait_until_read(aws.queue_state)
    with _progress(console) as progress:
        state = _drain(aws, progress)
    seconds = time.monotonic() - started
    with step("report", console):
        if told := files.report_of(client, bucket, key):
            console.print(f"The reader's report: {json.dumps(told)}", highlight=False)
        submissions = files.submissions(client, bucket, key, lines)
        return _report(aws, stack, submissions, state, seconds)._replace(by=READER)


def _drain(aws: EmbeddedAws, progress: Progress) -> dict[str, Any]:
    """Wait until no event is left in the queue, or it delivers nothing more."""
    bar = progress.add_task("drain", total=None)
    said = time.monotonic()
    while True:
        state = aws.queue_state()
        if not progress.console.is_terminal and time.monotonic() - said > TOLD_EVERY:
            progress.console.print(f"drain    {state['ended']} of {state['accepted']} events", highlight=False)
            said = time.monotonic()
        progress.update(bar, completed=state["ended"], total=state["accepted"])
        if not state["open"] or state["stopped"]:
            return state
        time.sleep(POLL)


def _report(
    aws: EmbeddedAws, stack: Stack, submissions: Sequence[Submission], state: dict[str, Any], seconds: float
) -> Report:
    items = read_items(aws.client("dynamodb"), stack.table)
    failures = take_failures(aws.client("sqs"), stack)
    return Report(reconcile(submissions, items, failures), items, seconds, state)


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
