"""The command `export`."""

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from pipeline.commands.shared.context import Context, of_stack
from pipeline.errors import EXIT_CODES, LEFT, MisuseError, standing
from pipeline.questions import times
from pipeline.questions.export import PAGE, Export, Key, Source, pages
from pipeline.stack.rate_limit import RateLimiter
from pipeline.terminal.printable import counted


@click.command("export", epilog=EXIT_CODES)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file; the same command resumes one that was stopped.  [default: standard output]",
)
@click.option("--id", "record_id", help="Only the records of this id.")
@click.option("--since", metavar="TIME", help="Only records with a timestamp since then: 2h, 7d or a date.")
@click.option("--table", "name", help="Read another table, such as a restored one.")
@click.option("--rate", type=click.FloatRange(min=1), default=10_000, help="Items read a second at most.")
@click.option("--segments", type=click.IntRange(1, 64), default=4, help="Parts read at once.")
@click.option("--json", "as_json", is_flag=True, help="With -o, print the number of records as JSON.")
@of_stack
def export(
    context: Context,
    *,
    path: Path | None,
    record_id: str | None,
    since: str | None,
    name: str | None,
    rate: float,
    segments: int,
    as_json: bool,
) -> None:
    """Write the table as lines that `submit` takes.

    Each line is a record as its producer sent it, exact to the last digit, in any order. The command leaves out what
    stages added, because they add it again. If you submit the lines to the same stack, they change nothing, unless a
    stage changes data.
    """
    if as_json and path is None:
        raise MisuseError("--json tells of a file: give one by -o.")
    if record_id == "":
        raise MisuseError("--id must not be empty.")
    start = None if since is None else times.since(since)
    client = context.access.client("dynamodb", connections=segments)
    parts, limit = (1 if record_id is not None else segments), max(1, min(PAGE, int(rate / segments)))
    source = Source(client, name or context.stack.table, record_id, since, start, parts, RateLimiter(rate), limit)
    count = _to_pipe(context, source) if path is None else _to_file(context, source, path)
    if as_json:
        context.screen.say(json.dumps({"records": count, "file": str(path)}))
    else:
        context.screen.note(f"{counted(count, 'record', 'records')} of {source.name}" + (f" in {path}" if path else ""))


def _to_file(context: Context, source: Source, path: Path) -> int:
    with ExitStack() as opened:
        file = opened.enter_context(Export(path, source))
        opened.enter_context(standing(lambda: f"{file.count} records are written; run the same command again to go on"))
        advance = opened.enter_context(context.screen.progress("export", None))
        advance(file.count)
        for page in pages(file.source, file.starts):
            file.add(page)
            advance(page.records)
        file.finish()
        return file.count


def _to_pipe(context: Context, source: Source) -> int:
    count = 0
    starts: dict[int, Key] = dict.fromkeys(range(source.segments))
    try:
        for page in pages(source, starts):
            sys.stdout.buffer.write(page.lines)
            count += page.records
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        context.screen.note(f"The reader of the output ended after {counted(count, 'record', 'records')}.")
        raise click.exceptions.Exit(LEFT) from None
    return count
