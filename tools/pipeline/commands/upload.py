"""The command `upload`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from pipeline.commands.shared.context import Context, in_json, of_stack
from pipeline.commands.shared.findings import findings
from pipeline.errors import EXIT_CODES, LEFT, MisuseError, standing
from pipeline.letters.selection import Finding
from pipeline.records.bucket import REJECTED, Bucket, ReaderCounts, key_of, require_key
from pipeline.records.source import Source
from pipeline.terminal.printable import counted

READER = "reader"
POLL = 1.0
"""Seconds between two looks at the reports."""
LETTERS = 10
"""Looks at the reports between two at the dead letters."""


class Uploaded(NamedTuple):
    """A file in the bucket."""

    key: str
    before: str | None
    """What tells an older report of its name from the one that is waited for."""


@click.command("upload", epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--prefix", default="", help="What the files' keys begin with, such as orders/.")
@click.option("--wait", is_flag=True, help="Wait until the files are read, and say what became of their lines.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=3600,
    show_default=True,
    help="Seconds after which --wait ends, whether or not all files are read.",
)
@in_json
@of_stack
def upload(context: Context, *, files: Sequence[Path], prefix: str, wait: bool, patience: float) -> None:
    """Put files of records, one a line, into the stack's bucket, whose reader gives them to the pipeline.

    Each file is looked at first, as by submit; `-` is standard input. Its key ends in .jsonl or, if it is packed by
    gzip, .jsonl.gz. The same file again stores nothing twice. A line that is no record goes to rejected/, a record that
    the pipeline refuses becomes a dead letter, and so does a file that can't be read at all.
    """
    bucket = _bucket(context)
    began = time.time_ns() // 1_000_000
    uploaded: list[Uploaded] = []
    with ExitStack() as opened:
        sources = [opened.enter_context(Source(path)) for path in files]
        keys = [key_of(source, prefix=prefix) for source in sources]
        _check(keys)
        advance = opened.enter_context(context.screen.progress("upload", None))
        opened.enter_context(standing(lambda: _standing(uploaded, len(files))))
        for source, key in zip(sources, keys, strict=True):
            report = bucket.report(key) if wait else None
            bucket.upload(source, key, advance)
            uploaded.append(Uploaded(key, report and report.mark))
    context.screen.note(f"{counted(len(files), 'file is', 'files are')} in s3://{bucket.name}/{prefix}")
    if wait:
        _follow(context, bucket, uploaded, began=began, until=time.monotonic() + patience)


def _bucket(context: Context) -> Bucket:
    if not context.stack.bucket:
        raise MisuseError(f"The stack '{context.stack.name}' has no bucket of files: deploy it with FilesBucket=true.")
    return Bucket(context.access.client("s3"), context.stack.bucket)


def _check(keys: Sequence[str]) -> None:
    for key in keys:
        require_key(key)
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise MisuseError(f"Several of the files have the name {twice[0]}: upload them with different prefixes.")


def _standing(uploaded: Sequence[Uploaded], count: int) -> str:
    return f"{len(uploaded)} of {counted(count, 'file was', 'files were')} uploaded"


def _follow(context: Context, bucket: Bucket, uploaded: Sequence[Uploaded], *, began: int, until: float) -> None:
    """Wait until each file is read or has failed, and say what became of its lines."""
    with standing(lambda: "the files are in the bucket, and are read"):
        reports, failed = _wait(context, bucket, uploaded, began, until)
    rows = [(one.key, *_row(reports.get(one.key), failed.get(one.key))) for one in uploaded]
    context.screen.table("", ("File", "State", "Lines", "Accepted", "Rejected", "Seconds"), rows)
    letters = _letters(context, began)
    for (stage, reason), count in letters.most_common():
        context.screen.note(f"Dead letters since: {count} of the {stage}: {reason}.")
    rejected = [key for key, report in reports.items() if report.rejected]
    for key in rejected:
        context.screen.note(f"The lines of {key} that are no records are in s3://{bucket.name}/{REJECTED}{key}.jsonl")
    if rejected or letters or len(reports) < len(uploaded):
        raise click.exceptions.Exit(LEFT)


def _row(report: ReaderCounts | None, failure: str | None) -> tuple[object, ...]:
    if report:
        return "read", report.lines, report.accepted, report.rejected, report.seconds
    return (f"failed: {failure}" if failure else "not read yet"), "", "", "", ""


def _wait(
    context: Context, bucket: Bucket, uploaded: Sequence[Uploaded], began: int, until: float
) -> tuple[dict[str, ReaderCounts], dict[str, str]]:
    """Return the reports of the files that were read in time, and why others failed."""
    reports: dict[str, ReaderCounts] = {}
    failed: dict[str, str] = {}
    looks = 0
    with context.screen.progress("read", len(uploaded)) as advance:
        while True:
            for one in uploaded:
                if one.key in reports or one.key in failed:
                    continue
                found = bucket.report(one.key)
                if found and found.mark != one.before:
                    reports[one.key] = found.counts
                    advance(1)
            looks += 1
            if len(reports) + len(failed) < len(uploaded) and looks % LETTERS == 0:
                failed.update(_failed_files(context, began))
            if len(reports) + len(failed) >= len(uploaded) or time.monotonic() > until:
                return reports, failed
            time.sleep(POLL)


def _failed_files(context: Context, began: int) -> dict[str, str]:
    """Return why files failed, by their keys."""
    with _letters_since(context, began) as letters:
        return {finding.record_id or "": finding.reason for finding in letters if finding.stage_name == READER}


def _letters(context: Context, began: int) -> Counter[tuple[str, str]]:
    """Count the dead letters since the files were uploaded, whatever they are about."""
    counts = Counter[tuple[str, str]]()
    with _letters_since(context, began) as letters:
        for finding in letters:
            counts[finding.stage_name, finding.reason] += finding.records
    return counts


@contextmanager
def _letters_since(context: Context, began: int) -> Iterator[Iterator[Finding]]:
    """Look at the dead letters that came after a time in ms since the epoch."""
    if not context.queue().depth().visible:
        yield iter(())
        return
    with findings(context, shown=False) as (found, _):
        yield (finding for finding in found if finding.letter.sent >= began)
