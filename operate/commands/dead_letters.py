"""The command `dead-letters`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from operate.commands.context import EXIT_CODES, Context, of_stack, selecting
from operate.dead_letters.selection import Finding, Selection
from operate.screen import Screen

COLUMNS = ("Time", "Stage", "Record", "Records", "Attempts", "Error")
ERROR_SHOWN = 200
"""Characters; Lambda writes up to 1 KB."""


@click.command("dead-letters", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the letters, with their events.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
@click.option("--summary", "only_summary", is_flag=True, help="Print only how many there are by stage and reason.")
@of_stack
@selecting
def dead_letters(
    context: Context,
    *,
    selection: Selection,
    history: Path | None,
    as_json: bool,
    only_count: bool,
    only_summary: bool,
) -> None:
    """Show what is in the dead-letter queue, without consuming it.

    Attempts counts how often an event was given to the pipeline: once, and each redrive from this machine since.

    SQS can't be looked into: letters are received and then given back, so others don't see them for a moment, and their
    receive count rises, which nothing depends on. If this is killed they come back by themselves, after 60 s in a queue
    that is not long, after 15 minutes at most.
    """
    screen = context.screen
    rows: list[tuple[str, ...]] = []
    reasons = Counter[tuple[str, str]]()
    with context.findings(history, shown=not as_json) as findings:
        chosen = filter(selection.takes, findings)
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


def _print_json(findings: Iterator[Finding], say: Callable[[str], None]) -> None:
    """Print an array whose lines are its elements, as they come."""
    before = "["
    for finding in findings:
        say(before + _json(finding))
        before = ","
    say("[]" if before == "[" else "]")


def _json(finding: Finding) -> str:
    """Write all that is known of a letter; an event with a number that no reader can hold, as 1e400, as its text."""
    described = describe(finding)
    try:
        return json.dumps(described, allow_nan=False)
    except ValueError:
        return json.dumps(described | {"event": None, "body": finding.letter.body})


def describe(finding: Finding) -> dict[str, Any]:
    """Return all that is known of a letter."""
    letter = finding.letter
    return {
        "time": letter.time,
        "stage": finding.attribution.stage,
        "id": finding.record_id,
        "records": finding.records,
        "error": letter.error,
        "errorCode": letter.error_code,
        "attempts": finding.redriven + 1,
        "received": letter.received,
        "requestId": letter.request_id,
        "messageId": letter.message_id,
        "problem": finding.attribution.problem or None,
        "event": letter.event,
        "body": None if letter.is_json else letter.body,
    }


def _print_tables(screen: Screen, rows: list[tuple[str, ...]], reasons: Counter[tuple[str, str]]) -> None:
    if not reasons:
        screen.say("There are no dead letters, or none that were asked for.")
        return
    if rows:
        screen.table("Dead letters", COLUMNS, sorted(rows))
        screen.say("")
    summary = [(stage, count, reason) for (stage, reason), count in reasons.most_common()]
    screen.table("By stage and reason", ("Stage", "Letters", "Reason"), summary)


def _row(finding: Finding) -> tuple[str, ...]:
    letter, error = finding.letter, (finding.attribution.problem or finding.letter.error)[:ERROR_SHOWN]
    counts = str(finding.records), str(finding.redriven + 1)
    return letter.time, finding.stage_name, finding.record_id or "", *counts, error
