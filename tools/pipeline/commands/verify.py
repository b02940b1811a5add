"""The command `verify`."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from pipeline.commands.shared.context import Context, in_json, of_stack
from pipeline.commands.shared.judging import look, read_dead_records, show_outcomes
from pipeline.commands.shared.options import file_option, keys_only_option, records_argument
from pipeline.errors import EXIT_CODES
from pipeline.records.files import NewFile
from pipeline.records.journal import read_header
from pipeline.records.judgement import Judgement, Outcome
from pipeline.records.lines import prepare
from pipeline.records.outcomes import Outcomes
from pipeline.records.packing import Prepare
from pipeline.records.source import Source


@click.command("verify", epilog=EXIT_CODES)
@records_argument
@file_option("--missing", "Write the missing lines to this file, for `submit`.")
@click.option(
    "--started",
    metavar="MS",
    type=click.IntRange(min=1),
    help="The time that `submit --timestamp now` printed.  [default: the journal's, if it is still there]",
)
@keys_only_option
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=3000, help="Records looked up a second.")
@in_json
@of_stack
def verify(
    context: Context, *, records: Path, missing_path: Path | None, started: int | None, keys_only: bool, rate: float
) -> None:
    """Say what became of each line of RECORDS.

    \b
    stored       the table has its key with its data
    dead letter  it waits in the dead-letter queue
    refused      it can't be sent
    different    another record has its key
    missing      it is neither stored nor a dead letter
    unknown      it has no timestamp, and the table has its id with other data only

    `-` is standard input. Wait until the pipeline is idle: a record that is on its way counts as missing. A record
    without a timestamp is found by the one that `submit --timestamp now` gave it, or by its id and data if the
    validator stamped it.
    """  # noqa: D301 - \b is click's own mark
    header = read_header(Path(f"{records}.journal"))
    if started is None and header and header.timestamp == "now":
        started = header.started
    prepared = partial(prepare, started=started)
    with ExitStack() as opened:
        source = opened.enter_context(Source(records))
        missing = opened.enter_context(NewFile(missing_path, option="--missing")) if missing_path else None
        outcomes = opened.enter_context(Outcomes())
        judgement = Judgement(context.table(rate=rate), read_dead_records(context), prepared, keys_only)
        look(context, source, outcomes, judgement)
        if missing:
            _write_missing(source, outcomes, missing, prepared)
        code = show_outcomes(context.screen, outcomes)
    if missing and missing.path.exists():
        context.screen.note(f"The missing lines are in {missing.path}: `submit` takes it.")
    raise click.exceptions.Exit(code)


def _write_missing(source: Source, outcomes: Outcomes, missing: NewFile, prepare_line: Prepare) -> None:
    numbers = outcomes.lines(Outcome.MISSING)
    for line in source.chosen(numbers):
        missing.write_line(prepare_line(line).content)
    missing.finish()
