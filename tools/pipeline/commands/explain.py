"""The command `explain`."""

import json
import time

import click

from pipeline.commands.shared.context import Context, of_stack
from pipeline.commands.shared.findings import findings
from pipeline.errors import EXIT_CODES, LEFT
from pipeline.questions import explain as questions
from pipeline.questions import logs, times
from pipeline.records.table import is_storable_id
from pipeline.stack import ENTRY

COLUMNS = ("Time", "Where", "What", "Request", "Detail")


@click.command("explain", epilog=EXIT_CODES)
@click.argument("record_id", metavar="ID")
@click.option("--since", metavar="TIME", help="Read the logs since then: 2h, 7d or a date.  [default: all of them]")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@of_stack
def explain(context: Context, record_id: str, since: str | None, as_json: bool) -> None:
    """Say what became of the record with an ID.

    The command shows what the table, the dead letters, the logs of all stages and the rejected files say of the record,
    in order of time, and one sentence. A record of a batch leaves no line in the logs unless it is refused. The exit
    code is 0 if the record is stored, else 1.
    """
    evidence = _find(context, record_id, None if since is None else times.since(since))
    if as_json:
        context.screen.say(json.dumps(questions.describe(evidence)))
    else:
        rows = [(times.shown(one.time), one.where, one.what, one.request, one.detail) for one in evidence.moments]
        if rows:
            context.screen.table("", COLUMNS, rows)
        context.screen.say(f"{record_id}: {evidence.sentence}.")
    if not evidence.items:
        raise click.exceptions.Exit(LEFT)


def _find(context: Context, record_id: str, since: int | None) -> questions.Evidence:
    stack, log = context.pipeline, context.access.client("logs")
    if since is None:
        since = questions.retained_since(log, logs.group_of(stack.aliases[ENTRY]), time.time_ns() // 1_000_000)
    items = context.table().of_id(record_id) if is_storable_id(record_id) else []
    with findings(context) as (found, _):
        letters = [finding for finding in found if questions.is_about(finding, record_id)]
    lines = questions.find_lines(log, stack, record_id, letters, since=since)
    files: list[questions.Moment] = []
    if stack.bucket:
        files = list(questions.find_in_files(context.access.client("s3"), stack.bucket, record_id, since=since))
    return questions.Evidence(record_id, items, letters, lines, files, stack.pipeline, since)
