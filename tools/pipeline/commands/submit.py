"""The command `submit`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import click

from pipeline.commands.context import EXIT_CODES, Context, of_stack, sending
from pipeline.errors import LEFT, MisuseError, standing
from pipeline.records.files import NewFile
from pipeline.records.journal import Header, Journal
from pipeline.records.lines import Line, read_lines
from pipeline.records.packing import Batch, Packing
from pipeline.records.submit import Submission, SubmitCounts
from pipeline.stack import ENTRY
from pipeline.stack.invoke import Fate, Outcome
from pipeline.terminal.printable import counted

STDIN = Path("-")
WRITES = 3000
"""A second: a new table takes 4,000, and needs some for what is delivered twice."""
PACED = (
    f"Paced so that a new table keeps up, at {WRITES} writes a second: one for each KB of a record. --rate sets the "
    "records a second instead."
)
RESUME = "run the same command again to go on where it stopped"


@click.command("submit", epilog=EXIT_CODES)
@click.argument("records", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--timestamp",
    type=click.Choice(["keep", "now"]),
    default="keep",
    show_default=True,
    help="now: give each record without a timestamp one of this submission, the same however often it is sent. "
    "keep: leave it to the pipeline, which takes a record that is sent twice for two.",
)
@click.option(
    "--rejected",
    "rejected_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the lines go that were not accepted.  [default: RECORDS.rejected]",
)
@click.option(
    "--journal",
    "journal_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What was accepted already, to resume by; removed at the end.  [default: RECORDS.journal]",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1, max=1000),
    help="Records in an event at most; 1: each as it stands.  [default: by size, so that an event is one request]",
)
@sending(f"Records a second at most; fewer while AWS throttles.  [default: {WRITES} writes a second]")
@of_stack
def submit(
    context: Context,
    *,
    records: Path,
    timestamp: str,
    rejected_path: Path | None,
    journal_path: Path | None,
    batch: int | None,
    rate: float | None,
    parallel: int,
    patience: float,
) -> None:
    """Send each line of RECORDS, a JSON document, to the pipeline's entry; `-` is standard input.

    Many records are packed into one event, a JSON array of them, which costs a fraction of an event for each.

    Stopped in any way, the same command resumes: it sends only what was not accepted yet. Standard input, or another
    pipe, can't be read twice, so it can't be resumed.

    The lines that were not accepted go to a file that `submit` takes again: as they are, with --timestamp now as they
    were sent.
    """
    resumable = records != STDIN and records.is_file()
    if journal_path and not resumable:
        raise MisuseError("Standard input, or another pipe, can't be resumed: leave out --journal.")
    rejected_path = rejected_path or Path(f"{records}.rejected" if resumable else "stdin.rejected")
    rejected = NewFile(rejected_path, option="--rejected")
    header = Header(context.stack.aliases[ENTRY], timestamp, time.time_ns() // 1_000_000)
    if rate is None:
        context.screen.note(PACED)
    invoker = context.invoker(rate=rate or WRITES, parallel=parallel, patience=patience)
    with ExitStack() as opened:
        stream = opened.enter_context(_open(records))
        path = journal_path or Path(f"{records}.journal")
        journal = opened.enter_context(Journal(path, header)) if resumable else None
        started = (journal.header if journal else header).started if timestamp == "now" else None
        opened.enter_context(rejected)
        packing = Packing(batch=batch, rate=rate, started=started)
        permits = _writes if rate is None else _records
        submission = Submission(header.function, invoker, rejected, packing, permits, journal, parallel)
        lines = read_lines(stream, too_long=rejected.write)
        counts = _run(context, submission, lines, records.stat().st_size if resumable else None)
        rejected.finish()
        if journal:
            journal.remove()
    _report(context, counts, started)
    if counts.rejected:
        context.screen.note(f"The lines that were not accepted are in {rejected.path}: `submit` takes it again.")
        raise click.exceptions.Exit(LEFT)


def _writes(batch: Batch) -> int:
    return batch.writes


def _records(batch: Batch) -> int:
    return len(batch.lines)


def _open(records: Path) -> IO[bytes]:
    try:
        return sys.stdin.buffer if records == STDIN else records.open("rb")
    except OSError as error:
        raise MisuseError(f"{records} can't be read: {error.strerror}.") from error


def _run(context: Context, submission: Submission, lines: Iterator[Line], total: int | None) -> SubmitCounts:
    """Send the lines, with progress in bytes; what stops it says how to go on."""
    done = 0
    with context.screen.progress("submit", total) as advance:

        def tell(lines: Sequence[Line], outcome: Outcome | None) -> None:
            nonlocal done
            advance(max(0, lines[-1].end - done))
            done = max(done, lines[-1].end)
            if outcome and outcome.fate is not Fate.ACCEPTED:
                context.screen.note(f"{_named(lines)} not accepted: {outcome.reason}.", kind="not accepted")

        submission.tell = tell
        with standing(lambda: _standing(submission)):
            submission.run(lines)
    return submission.counts


def _named(lines: Sequence[Line]) -> str:
    """Name lines by their numbers, those that follow one another by the first and the last."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and spans[-1][1] == line.number - 1:
            spans[-1][1] = line.number
        else:
            spans.append([line.number] * 2)
    numbers = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in spans)
    return f"Line {numbers} was" if len(lines) == 1 else f"Lines {numbers} were"


def _standing(submission: Submission) -> str:
    accepted = counted(submission.counts.accepted, "line was", "lines were")
    if submission.journal:
        return f"{accepted} accepted in this run; {RESUME}"
    return (
        f"{accepted} accepted; standard input can't be resumed, so what was read of it and not accepted is in "
        f"{submission.rejected.path}"
    )


def _report(context: Context, counts: SubmitCounts, started: int | None) -> None:
    rows = [("accepted", counts.accepted), ("accepted before", counts.skipped), ("rejected", counts.rejected)]
    if started is not None:
        rows.append(("timestamps from", started))
    context.screen.table("", ("Lines", "Count"), rows)
