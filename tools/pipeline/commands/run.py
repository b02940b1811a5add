"""The command `run`."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click

from pipeline import project
from pipeline.commands.shared.feeding import feed, feed_by_file, judged
from pipeline.commands.shared.local_options import console, queue_of, queue_options
from pipeline.commands.shared.picture import picture, recording_console
from pipeline.commands.shared.report import show_item, show_run
from pipeline.errors import EXIT_CODES, MisuseError
from pipeline.local.deploy import PARAMETERS, WITH_FILES
from pipeline.local.embedded.process import Options
from pipeline.local.errors import LocalError
from pipeline.local.run import deployed, exports
from pipeline.records.bucket import key_of, require_key
from pipeline.records.lines import MOST_RECORDS
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source


@click.command("run", epilog=EXIT_CODES)
@click.argument("records", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; all else goes to standard error.")
@click.option(
    "--report", "report_path", type=click.Path(path_type=Path), help="Also write the report to this file, as JSON."
)
@click.option(
    "--picture", "picture_path", type=click.Path(path_type=Path), help="Also write the output to this file, as an SVG."
)
@click.option(
    "--batch",
    type=click.IntRange(1, MOST_RECORDS),
    default=1,
    help="Most records in an event, of at most 300 KB; 1 sends each line as it is.",
)
@click.option("--by-file", is_flag=True, help="Upload RECORDS into the bucket of files, as one file.")
@click.option("--lint", is_flag=True, help="Check template.yaml by cfn-lint while it is deployed.")
@click.option("--items", is_flag=True, help="Also print each stored item as a line of JSON.")
@click.option(
    "--prepare",
    metavar="COMMAND",
    help="Run this shell command after the deployment and before the records, with the variables that `up` exports; "
    "for example, to store reference data.",
)
@queue_options
def run(
    records: Path | None,
    *,
    as_json: bool,
    report_path: Path | None,
    picture_path: Path | None,
    batch: int,
    by_file: bool,
    lint: bool,
    items: bool,
    prepare: str | None,
    **queue: Any,
) -> None:
    """Run RECORDS through the pipeline on an embedded AWS.

    The command deploys the project, submits each line of RECORDS, and says what became of it. RECORDS is
    events/records.jsonl if you name no other file; `-` is standard input. The functions run on the Python of this
    command; `sam local invoke` runs them in Lambda's own image. Ctrl-C ends the run and reports what was done until
    then.
    """
    for path in filter(None, (report_path, picture_path)):
        _require_writable(path)
    if as_json and picture_path:
        raise MisuseError("--picture and --json can't be given together: leave one of them out.")
    screen = recording_console() if picture_path else console(stderr=as_json)
    options = Options(queue=queue_of(**queue))
    with ExitStack() as opened:
        source = opened.enter_context(Source(records or project.root() / "events" / "records.jsonl"))
        outcomes = opened.enter_context(Outcomes())
        stored = opened.enter_context(TemporaryFile("w+", encoding="utf-8")) if items else None
        if by_file:
            require_key(key_of(source))
        with deployed(options, screen, WITH_FILES if by_file else PARAMETERS, linted=lint) as (aws, stack):
            if prepare:
                _prepare(prepare, exports(aws, stack))
            fed = feed_by_file(aws, stack, source, screen) if by_file else feed(aws, stack, source, screen, batch=batch)
            report = judged(aws, stack, fed, outcomes, screen, items=stored)
        if report_path:
            _write(report_path, report.json())
        show_run(report, screen)
        for piece in report.json() if as_json else ():
            click.echo(piece, nl=False)
        if stored:
            stored.seek(0)
            for line in stored:
                show_item(line, screen)
        if picture_path:
            _write(picture_path, [picture(screen, "make run")])
    if report.unsent is not None:
        raise click.Abort
    if report.problems:
        raise LocalError("; ".join(report.problems))


def _prepare(command: str, variables: Mapping[str, str]) -> None:
    """Run a command of the shell with the embedded AWS's variables, and with this command's Python as `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, **variables, "PATH": path}
    # Its output goes to standard error, since standard output may be the report's JSON.
    done = subprocess.run(command, shell=True, env=environment, stdout=sys.stderr, check=False)  # noqa: S602 - the user's own
    if done.returncode:
        raise LocalError(f"--prepare failed with exit code {done.returncode}: {command}")


def _require_writable(path: Path) -> None:
    """Refuse a path before the run that could not be written after it."""
    there = path if path.exists() else path.absolute().parent
    if path.is_dir() or not os.access(there, os.W_OK):
        reason = "Is a directory" if path.is_dir() else os.strerror(errno.EACCES if there.exists() else errno.ENOENT)
        raise MisuseError(f"{path} can't be written: {reason}.")


def _write(path: Path, pieces: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
    except OSError as error:
        raise MisuseError(f"{path} can't be written: {error.strerror or error}.") from error
