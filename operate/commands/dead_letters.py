"""The command `dead-letters`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from operate.commands.context import EXIT_CODES, Deployed, of_stack, selecting
from operate.dead_letters.peek import look
from operate.dead_letters.queue import Depth
from operate.dead_letters.selection import Finding, Selection, examine
from operate.errors import StoppedError
from operate.screen import Screen

COLUMNS = ("Time", "Stage", "Record", "Attempts", "Error")
ERROR_SHOWN = 200
"""Characters; Lambda writes up to 1 KB."""


@click.command("dead-letters", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the letters, with their events.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
@click.option("--summary", "only_summary", is_flag=True, help="Print only how many there are by stage and reason.")
@selecting
@of_stack
def dead_letters(
    deployed: Deployed,
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
    found = _Found()
    with _findings(deployed, selection, history, shown=not as_json) as findings:
        if as_json:
            _print_json(findings, deployed.screen.say)
        else:
            found.add(findings, rows=not (only_count or only_summary))
    if only_count:
        deployed.screen.say(str(found.reasons.total()))
    elif not as_json:
        _print_tables(deployed.screen, found)


@dataclass
class _Found:
    """What is kept of letters until all are seen: no events."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, findings: Iterator[Finding], *, rows: bool) -> None:
        """Count letters and, if need be, keep a row of each."""
        for finding in findings:
            self.reasons[finding.stage_name, finding.reason] += 1
            if rows:
                self.rows.append(_row(finding))


@contextmanager
def _findings(
    deployed: Deployed, selection: Selection, history: Path | None, *, shown: bool
) -> Iterator[Iterator[Finding]]:
    stack = deployed.pipeline
    selection.require_stages_of(stack)
    queue = deployed.queue()
    depth = queue.depth()
    with (
        deployed.history(history) as known,
        deployed.screen.progress("dead letters", depth.visible, shown=shown) as advance,
    ):
        if known.problem:
            deployed.screen.note(f"What was redriven before is not known: {known.problem}.")

        seen = 0

        def found() -> Iterator[Finding]:
            nonlocal seen
            for letter in letters:
                advance(1)
                seen += 1
                finding = examine(letter, stack, known)
                if selection.takes(finding):
                    yield finding

        try:
            with look(queue, depth) as letters:
                yield found()
        except KeyboardInterrupt as error:
            raise StoppedError("Interrupted: the letters that were looked at are back in the queue.") from error
    warn_in_flight(deployed, unseen(depth, seen))


def unseen(depth: Depth, seen: int) -> int:
    """Return how many letters were in another reader's hands and were not seen since, about: SQS's figures are late."""
    return max(0, min(depth.in_flight, depth.visible + depth.in_flight - seen))


def warn_in_flight(deployed: Deployed, letters: int) -> None:
    """Say that there are letters which could not be seen."""
    if letters:
        deployed.screen.note(
            f"About {letters} more letters were in another reader's hands when this began, perhaps of a "
            "command that was killed: they come back when its time is up."
        )


def _print_json(findings: Iterator[Finding], say: Callable[[str], None]) -> None:
    """Print an array whose lines are its elements, as they come."""
    before = "["
    for finding in findings:
        say(before + json.dumps(describe(finding)))
        before = ","
    say("[]" if before == "[" else "]")


def describe(finding: Finding) -> dict[str, Any]:
    """Return all that is known of a letter."""
    letter = finding.letter
    return {
        "time": letter.time,
        "stage": finding.stage,
        "id": letter.record_id,
        "error": letter.error,
        "errorCode": letter.error_code,
        "attempts": finding.redriven + 1,
        "received": letter.received,
        "requestId": letter.request_id,
        "messageId": letter.message_id,
        "problem": finding.problem or None,
        "event": letter.event,
        "body": None if letter.is_json else letter.body,
    }


def _print_tables(screen: Screen, found: _Found) -> None:
    if not found.reasons:
        screen.say("There are no dead letters, or none that were asked for.")
        return
    if found.rows:
        screen.table("Dead letters", COLUMNS, sorted(found.rows))
        screen.say("")
    summary = [(stage, count, reason) for (stage, reason), count in found.reasons.most_common()]
    screen.table("By stage and reason", ("Stage", "Letters", "Reason"), summary)


def _row(finding: Finding) -> tuple[str, ...]:
    letter = finding.letter
    error = (finding.problem or letter.error)[:ERROR_SHOWN]
    return letter.time, finding.stage_name, letter.record_id or "", str(finding.redriven + 1), error
