"""The command `verify`."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import click

from pipeline.commands.context import EXIT_CODES, Context, of_stack
from pipeline.errors import LEFT, standing
from pipeline.records.files import NewFile
from pipeline.records.journal import read_header
from pipeline.records.lines import read_lines
from pipeline.records.verify import Letters, Sent, Status, Verification
from pipeline.stack.rate_limit import RateLimiter
from pipeline.terminal.printable import counted

UNSTAMPED = "--started leads to those of `submit --timestamp now`, nothing to those of the pipeline"


@click.command("verify", epilog=EXIT_CODES)
@click.argument("records", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--missing",
    "missing_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the missing lines go, for `submit`.",
)
@click.option(
    "--started",
    metavar="MS",
    type=click.IntRange(min=1),
    help="What `submit --timestamp now` printed as timestamps from.  [default: the journal's, if it is still there]",
)
@click.option("--keys-only", is_flag=True, help="Don't compare the data: for a pipeline that changes it.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), default=3000, show_default=True, help="Lines a second."
)
@of_stack
def verify(
    context: Context,
    *,
    records: Path,
    missing_path: Path | None,
    started: int | None,
    keys_only: bool,
    rate: float,
) -> None:
    """Say of each line of RECORDS whether it is stored as it was sent, waits as a dead letter, or is missing.

    Run it when nothing is under way any more: what still is counts as missing. A record without a timestamp is found by
    the one that `submit --timestamp now` gave it, and not at all if the pipeline stamped it.
    """
    header = read_header(Path(f"{records}.journal"))
    if started is None and header and header.timestamp == "now":
        started = header.started
    letters, counts = Letters(keys_only), Counter[Status]()
    with ExitStack() as opened:
        missing = opened.enter_context(NewFile(missing_path, option="--missing")) if missing_path else None
        with context.findings(None) as (findings, _):
            for finding in findings:
                letters.add(finding)
        client = context.access.client("dynamodb")
        limiter = RateLimiter(rate)
        run = Verification(client, context.stack.table, letters, limiter, started, keys_only)
        advance = opened.enter_context(context.screen.progress("verify", records.stat().st_size))
        lines = read_lines(opened.enter_context(records.open("rb")), too_long=missing.write if missing else bytes)
        done = 0
        with standing(lambda: _standing(counts)):
            for sent, status in run.run(lines):
                advance(sent.line.end - done)
                done = sent.line.end
                counts[status] += 1
                if status is not Status.STORED:
                    _name(context, sent, status)
                if status is Status.MISSING and missing and sent.content:
                    missing.write(sent.content + b"\n")
        if missing:
            missing.finish()
    context.screen.table("", ("Lines", "Count"), [(status.value, counts[status]) for status in Status])
    if missing and counts[Status.MISSING]:
        context.screen.note(f"The missing lines are in {missing.path}: `submit` takes it.")
    if counts.total() > counts[Status.STORED]:
        raise click.exceptions.Exit(LEFT)


def _name(context: Context, sent: Sent, status: Status) -> None:
    of = f" (record {sent.key.id} at {sent.key.timestamp})" if sent.key else ""
    why = f", as it has no timestamp: {UNSTAMPED}" if status is Status.UNKNOWN else ""
    context.screen.note(f"Line {sent.line.number}{of}: {status.value}{why}.", kind=status.value)


def _standing(counts: Counter[Status]) -> str:
    return f"{counted(counts.total(), 'line was', 'lines were')} looked for, and {counts[Status.MISSING]} missing"
