"""The command `rehearse`."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pipeline import project
from pipeline.errors import EXIT_CODES, LEFT, MisuseError
from pipeline.questions.rehearse import Rehearsal, Tree, checked_out, run
from pipeline.terminal.printable import counted, printable
from pipeline.terminal.screen import Screen

TOLD = 1000  # records between two steps of the progress
COLUMNS = ("Change", "What", "Records", "Lines")


@click.command("rehearse", epilog=EXIT_CODES)
@click.argument("records", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--against", "revision", metavar="REV", default="HEAD", help="Compare with this revision.")
@click.option("--values", is_flag=True, help="Show how the first changed records were stored before, and how now.")
@click.option("--markdown", is_flag=True, help="Print a table in Markdown, for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def rehearse(records: Path, revision: str, values: bool, markdown: bool, as_json: bool) -> None:
    """Say which records a change of the code affects.

    The stages of the working tree and of a revision run on RECORDS, one a line, without AWS and with a clock that
    stands still. The command says which records are stored the same, stored otherwise, newly refused, newly accepted,
    or fail. The exit code is 0 if nothing changes, else 1.
    """
    if as_json and markdown:
        raise MisuseError("--json and --markdown are two ways to print it: choose one.")
    root, screen = project.root(), Screen()
    found = Rehearsal()
    with TemporaryDirectory() as folder, screen.progress("rehearse", None, shown=not as_json) as advance:
        old = Tree.of(checked_out(root, revision, Path(folder)))
        for before, after in run(old, Tree.of(root), records):
            found.add(before, after)
            if not found.records % TOLD:
                advance(TOLD)
    if as_json:
        screen.say(json.dumps(found.describe(values=values)))
    else:
        _print(screen, found, values=values, markdown=markdown)
    if found.same < found.records:
        raise click.exceptions.Exit(LEFT)


def _print(screen: Screen, found: Rehearsal, *, values: bool, markdown: bool) -> None:
    named = ((one, ", ".join(map(str, one.lines))) for one in found.changes)
    rows = [(one.change.replace("_", " "), one.what, one.records, lines) for one, lines in named]
    if markdown:
        for row in (COLUMNS, ["---"] * len(COLUMNS), *rows) if rows else ():
            screen.say("| " + " | ".join(printable(str(cell)).replace("|", "\\|") for cell in row) + " |")
        screen.say("")
    elif rows:
        screen.table("", COLUMNS, rows)
    if values:
        for one in found.changes:
            for example in one.examples:
                old, new = json.dumps(example["old"]), json.dumps(example["new"])
                screen.say(f"line {example['line']}, {one.what}: {old} becomes {new}")
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.counts.items() if count)
    records = counted(found.records, "record", "records")
    screen.say(f"Of {records} {found.same} stay the same{counts and f', {counts}'}.")
    if found.conflicts:
        replay = "once stored, each replay of such a record is a conflict, and becomes a dead letter"
        screen.say(f"{counted(found.conflicts, 'record gets', 'records get')} other data: {replay}.")
