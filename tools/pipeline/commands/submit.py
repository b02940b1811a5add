"""The command `submit`."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from operator import attrgetter
from pathlib import Path

import click

from pipeline.commands.shared.context import Context, in_json, of_stack
from pipeline.commands.shared.options import file_option, keys_only_option, records_argument, sending, settling
from pipeline.commands.shared.settling import Settling
from pipeline.errors import EXIT_CODES, LEFT, CommandError, MisuseError, standing
from pipeline.records.files import NewFile, require_own
from pipeline.records.journal import Header, Journal
from pipeline.records.lines import MOST_RECORDS, Line, prepare
from pipeline.records.packing import Batch, Packing
from pipeline.records.source import Source, is_resumable
from pipeline.records.submit import Submission, SubmitCounts
from pipeline.stack import ENTRY
from pipeline.stack.invoke import Answer, Reply
from pipeline.terminal.printable import counted

WRITES = 3000  # a second: a new table takes 4,000, and needs some for what is delivered twice
PACED = (
    f"At most {WRITES} writes a second are sent, which a new table takes; a record is a write for each KB. --rate sets "
    "the records a second instead."
)
RESUME = "run the same command again to go on where it stopped"
REJECTED = ".rejected"


@click.command("submit", epilog=EXIT_CODES)
@records_argument
@click.option(
    "--timestamp",
    type=click.Choice(["keep", "now"]),
    help="now: stamp each record that has no timestamp; a line that is sent again keeps its stamp. keep: let the "
    "pipeline stamp it; a line that is sent twice becomes two records.  [default: keep; with --settle now]",
)
@file_option("--rejected", "The file for lines that were not accepted.  [default: RECORDS.rejected]")
@file_option(
    "--journal", "The file from which a stopped submission resumes; removed at the end.  [default: RECORDS.journal]"
)
@click.option(
    "--batch",
    type=click.IntRange(1, MOST_RECORDS),
    help="Most records in an event; 1 sends each line as it is.  [default: by size, so that an event is one request]",
)
@settling(
    "Wait until each line is stored or a dead letter, send missing lines again, and report as `verify` does.",
    quiet=30,
    after="after which missing lines are sent again; it doubles each time that settles none, at most three times",
)
@keys_only_option
@sending(f"Records a second at most; fewer while AWS throttles.  [default: {WRITES} writes a second]")
@in_json
@of_stack
def submit(
    context: Context,
    *,
    records: Path,
    timestamp: str | None,
    rejected_path: Path | None,
    journal_path: Path | None,
    batch: int | None,
    settle: bool,
    quiet: float,
    keys_only: bool,
    rate: float | None,
    parallel: int,
    patience: float,
) -> None:
    """Send each line of RECORDS to the pipeline.

    A line is a JSON document; `-` is standard input. The command packs many records into one event, which costs a
    fraction of an event for each. A line that is an array is an event by itself.

    If the command is stopped, the same command resumes: it sends only lines that were not accepted yet. Standard input
    can't be read twice, so it can't be resumed.

    Lines that are not accepted go to a file, as they are; with --timestamp now, as they were sent.
    """
    if settle and timestamp == "keep":
        raise MisuseError("--settle may send a line twice, so each needs a timestamp: leave out --timestamp keep.")
    timestamp = timestamp or ("now" if settle else "keep")
    resumable = is_resumable(records)
    if journal_path and not resumable:
        raise MisuseError("Standard input, or another pipe, can't be resumed: leave out --journal.")
    if records.suffix == REJECTED:
        require_own(records)
    rejected_path = rejected_path or Path(f"{records if resumable else 'stdin'}{REJECTED}")
    with ExitStack() as opened:
        source = opened.enter_context(Source(records, again=settle))
        rejected = NewFile(rejected_path, option="--rejected")
        header = Header(context.stack.aliases[ENTRY], timestamp, time.time_ns() // 1_000_000)
        if rate is None:
            context.screen.note(PACED)
        invoker = context.invoker(rate=rate or WRITES, parallel=parallel, patience=patience)
        path = journal_path or Path(f"{records}.journal")
        journal = opened.enter_context(Journal(path, header)) if resumable else None
        began = (journal.header if journal else header).started
        started = began if timestamp == "now" else None
        opened.enter_context(rejected)
        prepared = partial(prepare, started=started)
        permits = attrgetter("writes" if rate is None else "records")
        packing, reject = Packing(prepared, batch=batch, rate=rate), partial(_reject, rejected)
        submission = Submission(header.function, invoker, packing, permits, reject, journal, parallel)
        _run(context, submission, source, rejected)
        _report(context, submission, started)
        code = LEFT if submission.counts.rejected else 0
        if settle:
            code = Settling(context, source, prepared, submission, began, quiet, keys_only).run()
        if journal:
            journal.remove()
    if submission.counts.rejected:
        context.screen.note(f"The lines that were not accepted are in {rejected.path}{_use(submission.counts)}.")
    raise click.exceptions.Exit(code)


def _reject(rejected: NewFile, batch: Batch) -> None:
    for content in filter(None, batch.contents):  # one that is too long to be held is written already
        rejected.write_line(content)


def _run(context: Context, submission: Submission, source: Source, rejected: NewFile) -> None:
    """Send the lines, with progress in bytes; what stops it says how to go on."""
    done = 0
    with context.screen.progress("submit", source.size) as advance:

        def tell(batch: Batch, answer: Answer) -> None:
            nonlocal done
            end = batch.lines[-1].end
            advance(max(0, end - done))
            done = max(done, end)
            if answer.reply is not Reply.ACCEPTED:
                context.screen.note(f"{_named(batch.lines)} not accepted: {answer.reason}.", kind="not accepted")

        submission.tell = tell
        with standing(lambda: _standing(submission, rejected.path)):
            try:
                submission.run(source.lines(too_long=rejected.write))
            except (CommandError, KeyboardInterrupt):
                if not submission.journal:
                    rejected.finish()
                raise
        rejected.finish()


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


def _standing(submission: Submission, rejected: Path) -> str:
    accepted = counted(submission.counts.accepted, "record was", "records were")
    if submission.journal:
        return f"{accepted} accepted in this run; {RESUME}"
    return f"{accepted} accepted; a pipe can't be resumed, so what was read of it and not accepted is in {rejected}"


def _use(counts: SubmitCounts) -> str:
    if counts.invalid == counts.rejected:
        return ", to be mended: as they are they can't be sent"
    return ": `submit` takes it again" + ", but for what can't be sent" * bool(counts.invalid)


def _report(context: Context, submission: Submission, started: int | None) -> None:
    counts = submission.counts
    rows = [("accepted", counts.accepted), ("accepted before", counts.skipped), ("rejected", counts.rejected)]
    if started is not None:
        rows.append(("timestamps from", started))
    context.screen.table("", ("Records", "Count"), rows)
