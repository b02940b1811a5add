"""One run of the whole pipeline: build, start, deploy, submit, drain, report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.check import require_supported_targets
from local.deploy import Stack, build, deploy
from local.embedded import EmbeddedAws, Options
from local.records import Line, read_lines
from local.report import Report
from local.settle import read_dead_letters, read_items, settle
from local.submit import Submission, submit

POLL = 0.1
"""Seconds between two looks at the queue."""


def run(records: Path, options: Options, console: Console) -> Report:
    """Run the records through a pipeline of their own.

    Raises:
        LocalError: It could not be run.
    """
    lines = read_lines(records)
    with deployed(options, console) as (aws, stack):
        return feed(aws, stack, lines, console)


@contextmanager
def deployed(options: Options, console: Console) -> Iterator[tuple[EmbeddedAws, Stack]]:
    """Start an embedded AWS with the stack deployed; the build goes on while it starts."""
    aws = EmbeddedAws(options)
    aws.start()
    try:
        with step("build", console):
            template = build(aws.workspace)
        with step("start", console):
            aws.wait_until_ready()
        with step("deploy", console):
            stack = deploy(aws, template)
            require_supported_targets(aws.client("lambda"))
        yield aws, stack
    finally:
        aws.end()


def feed(aws: EmbeddedAws, stack: Stack, lines: Sequence[Line], console: Console) -> Report:
    """Submit lines, wait until the queue has drained, and settle what became of them."""
    started = time.monotonic()
    with _progress(console) as progress:
        bar = progress.add_task("submit", total=len(lines))
        submissions = submit(aws.client("lambda"), stack.validator, lines, lambda: progress.advance(bar))
        state = _drain(aws, progress)
    seconds = time.monotonic() - started
    with step("report", console):
        return _settle(aws, stack, submissions, state, seconds)


def _drain(aws: EmbeddedAws, progress: Progress) -> dict[str, Any]:
    """Wait until no event is left in the queue, or it has stopped for good."""
    bar = progress.add_task("drain", total=None)
    while True:
        state = aws.queue_state()
        progress.update(bar, completed=state["ended"], total=state["accepted"])
        if not state["open"] or state["stopped"]:
            return state
        time.sleep(POLL)


def _settle(
    aws: EmbeddedAws, stack: Stack, submissions: Sequence[Submission], state: dict[str, Any], seconds: float
) -> Report:
    items = read_items(aws.client("dynamodb"), stack.table)
    letters = read_dead_letters(aws.client("sqs"), stack)
    return Report(settle(submissions, items, letters), len(items), seconds, state)


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
