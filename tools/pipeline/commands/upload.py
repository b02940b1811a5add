"""The command `upload`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from pipeline.commands.context import EXIT_CODES, Context, of_stack
from pipeline.errors import LEFT, MisuseError, standing
from pipeline.records.bucket import REJECTED, REPORTS, Bucket, Report, look_at
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
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--prefix", default="", help="What the files' keys begin with, such as orders/.")
@click.option("--wait", is_flag=True, help="Wait until the files are read, and say what became of their lines.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=3600,
    show_default=True,
    help="Seconds after which --wait ends, whether or not all files are read.",
)
@of_stack
def upload(context: Context, *, files: Sequence[Path], prefix: str, wait: bool, patience: float) -> None:
    """Put files of records, one a line, into the stack's bucket, whose reader gives them to the pipeline.

    Each file is looked at first: by its name (.jsonl or .jsonl.gz), its size and its first lines. The same file again
    stores nothing twice. A line that is no record goes to rejected/, a record that the pipeline refuses becomes a dead
    letter, and so does a file that can't be read at all.
    """
    bucket = _bucket(context)
    keys = [prefix + path.name for path in files]
    _check(files, keys)
    began = time.time_ns() // 1_000_000
    uploaded: list[Uploaded] = []
    size = sum(path.stat().st_size for path in files)
    with context.screen.progress("upload", size) as advance, standing(lambda: _standing(uploaded, len(files))):
        for path, key in zip(files, keys, strict=True):
            report = bucket.report(key) if wait else None
            bucket.upload(path, key, advance)
            uploaded.append(Uploaded(key, report and report[0]))
    context.screen.note(f"{counted(len(files), 'file is', 'files are')} in s3://{bucket.name}/{prefix}")
    if wait:
        _follow(context, bucket, uploaded, began=began, until=time.monotonic() + patience)


def _bucket(context: Context) -> Bucket:
    if not context.stack.bucket:
        raise MisuseError(f"The stack '{context.stack.name}' has no bucket of files: deploy it with FilesBucket=true.")
    return Bucket(context.access.client("s3"), context.stack.bucket)


def _check(files: Sequence[Path], keys: Sequence[str]) -> None:
    for path, key in zip(files, keys, strict=True):
        look_at(path)
        if key.startswith((REPORTS, REJECTED)):
            raise MisuseError(f"A key can't begin with {REPORTS} or {REJECTED} (got {key}).")
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


def _row(report: Report | None, failure: str | None) -> tuple[object, ...]:
    if report:
        return "read", report.lines, report.accepted, report.rejected, report.seconds
    return (f"failed: {failure}" if failure else "not read yet"), "", "", "", ""


def _wait(
    context: Context, bucket: Bucket, uploaded: Sequence[Uploaded], began: int, until: float
) -> tuple[dict[str, Report], dict[str, str]]:
    """Return the reports of the files that were read in time, and why others failed."""
    reports: dict[str, Report] = {}
    failed: dict[str, str] = {}
    looks = 0
    with context.screen.progress("read", len(uploaded)) as advance:
        while True:
            for one in uploaded:
                if one.key in reports or one.key in failed:
                    continue
                found = bucket.report(one.key)
                if found and found[0] != one.before:
                    reports[one.key] = found[1]
                    advance(1)
            looks += 1
            if len(reports) + len(failed) < len(uploaded) and looks % LETTERS == 0:
                failed.update(_failed_files(context, began))
            if len(reports) + len(failed) >= len(uploaded) or time.monotonic() > until:
                return reports, failed
            time.sleep(POLL)


def _failed_files(context: Context, began: int) -> dict[str, str]:
    """Return why files failed, by their keys."""
    if not context.queue().depth().visible:
        return {}
    with context.findings(None, shown=False) as (findings, _):
        return {
            finding.record_id or "": finding.reason
            for finding in findings
            if finding.stage_name == READER and finding.letter.sent >= began
        }


def _letters(context: Context, began: int) -> Counter[tuple[str, str]]:
    """Count the dead letters since the files were uploaded, whatever of."""
    letters = Counter[tuple[str, str]]()
    if context.queue().depth().visible:
        with context.findings(None, shown=False) as (findings, _):
            for finding in findings:
                if finding.letter.sent >= began:
                    letters[finding.stage_name, finding.reason] += finding.records
    return letters
