"""The command `dead-letters`."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import click

from pipeline.commands.shared.context import Context, of_stack
from pipeline.commands.shared.findings import findings
from pipeline.commands.shared.options import file_option, selecting
from pipeline.errors import EXIT_CODES, LEFT, MisuseError
from pipeline.letters.payload import as_sent
from pipeline.letters.queue import batches
from pipeline.letters.selection import Finding, Selection
from pipeline.records.files import open_private
from pipeline.terminal.screen import Screen

COLUMNS = ("Time", "Stage", "Record", "Records", "Request", "Error")
ERROR_SHOWN = 200  # characters; Lambda writes up to 1 KB


@click.command("dead-letters", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the letters, with their events.")
@click.option("--count", "only_count", is_flag=True, help="Print only the number of letters.")
@click.option("--summary", "only_summary", is_flag=True, help="Print only the number of letters by stage and reason.")
@file_option("--export", "Write each letter to a new file, as a line of JSON with its record as it was sent.")
@click.option("--discard", is_flag=True, help="Delete the letters; with --export, only those that are in the file.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@of_stack
@selecting
def dead_letters(
    context: Context,
    *,
    selection: Selection,
    as_json: bool,
    only_count: bool,
    only_summary: bool,
    export_path: Path | None,
    discard: bool,
    yes: bool,
) -> None:
    """Show the letters in the dead-letter queue.

    The letters stay there. A batch of records that failed as a whole is one letter.

    SQS can't show messages without handing them out, so the command receives the letters and gives them back. Meanwhile
    others don't see them, and their receive count rises, which nothing depends on. If this command is killed, the
    letters come back within 15 minutes.
    """
    if discard or export_path:
        if as_json or only_count or only_summary:
            raise MisuseError("--export and --discard show nothing: leave out --json, --count and --summary.")
        _take_out(context, selection, export_path, discard=discard, yes=yes)
        return
    screen = context.screen
    rows: list[tuple[str, ...]] = []
    reasons = Counter[tuple[str, str]]()
    with findings(context, shown=not as_json) as (found, _):
        chosen = filter(selection.takes, found)
        if as_json:
            _print_json(chosen, screen.say)
        elif only_count:
            screen.say(str(sum(1 for _ in chosen)))
        else:
            for finding in chosen:
                reasons[finding.stage_name, finding.reason] += 1
                if not only_summary:
                    rows.append(_row(finding))
    if not (as_json or only_count):
        _print_tables(screen, rows, reasons)


def _take_out(context: Context, selection: Selection, path: Path | None, *, discard: bool, yes: bool) -> None:
    """Write letters to a file and delete them, whichever is asked for; those that arrive meanwhile are left alone."""
    if discard and not yes and not _confirmed(context):
        context.screen.note("Nothing was deleted.")
        raise click.exceptions.Exit(LEFT)
    chosen = discarded = 0
    with ExitStack() as opened:
        file = opened.enter_context(_created(path)) if path else None
        found, letters = opened.enter_context(findings(context))
        newer = letters.depth.time + 1000  # AWS's answers name their time in whole seconds
        for some in batches(one for one in found if selection.takes(one) and one.letter.sent < newer):
            chosen += len(some)
            if file:
                _write(file, some)
            if discard:
                discarded += len(some) - len(letters.delete([finding.letter for finding in some]))
    if path and not chosen:
        path.unlink()
    done = [("exported", chosen)] * bool(path) + [("deleted", discarded)] * discard
    context.screen.table("", ("Letters", "Count"), [("chosen", chosen), *done])
    if discard and discarded < chosen:
        raise click.exceptions.Exit(LEFT)


def _confirmed(context: Context) -> bool:
    if not sys.stdin.isatty():
        raise MisuseError("--discard deletes letters for good: give --yes, or run it on a terminal to be asked.")
    depth = context.queue().depth()
    question = f"Delete dead letters of {context.stack.name} for good (there are about {depth.visible} in all)?"
    return click.confirm(question, err=True)


def _created(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")
    except OSError as error:
        raise MisuseError(f"{path} can't be made ({error.strerror}): name another file by --export.") from error


def _write(file: IO[bytes], found: Iterable[Finding]) -> None:
    """Write letters, and wait until they are on the disk."""
    try:
        for finding in found:
            described = describe(finding) | {"body": finding.letter.body}
            del described["event"]
            file.write(_with_record(json.dumps(described), finding).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise MisuseError(f"The export can't be written ({error.strerror}); what is in it may be cut off.") from error


def _print_json(found: Iterator[Finding], say: Callable[[str], None]) -> None:
    """Print an array whose lines are its elements, as they come."""
    before = "["
    for finding in found:
        say(before + _json(finding))
        before = ","
    say("[]" if before == "[" else "]")


def _json(finding: Finding) -> str:
    """Write all that is known of a letter; an event with a number that no reader can hold, as 1e400, as its text."""
    described = describe(finding)
    try:
        text = json.dumps(described, allow_nan=False)
    except ValueError:
        text = json.dumps(described | {"event": None, "body": finding.letter.body})
    return _with_record(text, finding)


def _with_record(text: str, finding: Finding) -> str:
    """Put the record, as its producer sent it, into the text of a letter: so it loses no digit."""
    return f'{text[:-1]}, "record": {as_sent(finding.letter, finding.attribution) or "null"}}}'


def describe(finding: Finding) -> dict[str, Any]:
    """Return all that is known of a letter."""
    letter = finding.letter
    return {
        "time": letter.time,
        "stage": finding.attribution.stage,
        "id": finding.record_id,
        "records": finding.records,
        "error": letter.error,
        "error_code": letter.error_code,
        "received": letter.received,
        "request_id": letter.request_id,
        "message_id": letter.message_id,
        "problem": finding.attribution.problem or None,
        "event": letter.event,
        "body": None if letter.is_json else letter.body,
    }


def _print_tables(screen: Screen, rows: list[tuple[str, ...]], reasons: Counter[tuple[str, str]]) -> None:
    if not reasons:
        screen.say("There are no dead letters, or none that match.")
        return
    if rows:
        screen.table("Dead letters", COLUMNS, sorted(rows))
        screen.say("")
    summary = [(stage, count, reason) for (stage, reason), count in reasons.most_common()]
    screen.table("By stage and reason", ("Stage", "Letters", "Reason"), summary)


def _row(finding: Finding) -> tuple[str, ...]:
    letter, error = finding.letter, (finding.attribution.problem or finding.letter.error)[:ERROR_SHOWN]
    records = str(finding.records)
    return letter.time, finding.stage_name, finding.record_id or "", records, letter.request_id, error
