"""The command `redrive`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from operate.commands.context import EXIT_CODES, Deployed, of_stack, selecting, sending
from operate.commands.dead_letters import unseen, warn_in_flight
from operate.dead_letters.peek import look
from operate.dead_letters.queue import DeadLetterQueue, Depth
from operate.dead_letters.redrive import UNFINISHED, Event, Plan, Redrive, Tally, Verdict
from operate.dead_letters.selection import Selection, examine
from operate.errors import LEFT, MisuseError, OperateError, StoppedError
from operate.stack import ENTRY


@click.command("redrive", epilog=EXIT_CODES)
@click.option(
    "--to",
    metavar="STAGE",
    help="Send to this stage; entry is the pipeline's first.  [default: the stage that failed]",
)
@click.option("--max", "most", type=click.IntRange(min=1), help="Send so many letters at most.")
@click.option(
    "--max-redrives", type=click.IntRange(min=1), help="Leave letters whose event was redriven so often before."
)
@click.option(
    "--visibility-timeout",
    type=click.IntRange(2, 43200),
    default=60,
    show_default=True,
    help="Seconds after which letters in hand come back if this is killed.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be sent where.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@sending
@selecting
@of_stack
def redrive(
    deployed: Deployed,
    *,
    selection: Selection,
    history: Path | None,
    to: str | None,
    most: int | None,
    max_redrives: int | None,
    visibility_timeout: int,
    dry_run: bool,
    yes: bool,
    rate: float | None,
    parallel: int,
    patience: float,
) -> None:
    """Send dead letters again, to the stage that failed, and delete each whose event Lambda accepted.

    Whatever fails stays in the queue. What can't be attributed to a stage, or is not JSON, is left and named. Killed at
    any moment, the same command goes on: a letter that was sent and not deleted is sent again, which stores nothing
    twice. For that reason a record without a timestamp gets the one that the pipeline gave it, or its letter's.

    It is about the letters that are there when it begins. A letter that arrives later is left alone; one that comes of
    an event that was just sent is named, as its cause is not mended. dead-letters shows how often an event was sent.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise MisuseError("redrive sends events and deletes letters: give --yes, or run it on a terminal to be asked.")
    stack, target = deployed.pipeline, ENTRY if to == "entry" else to
    selection.require_stages_of(stack)
    stack.require([target] if target else [])
    plan = Plan(stack, selection, target, most, max_redrives, visibility_timeout, parallel)
    queue = deployed.queue(connections=parallel)
    depth = queue.depth()
    if dry_run:
        _rehearse(deployed, plan, queue, depth, history)
        return
    if not yes and not _confirmed(deployed, depth):
        deployed.screen.note("Nothing was sent.")
        raise click.exceptions.Exit(LEFT)
    invoker = deployed.invoker(rate=rate, parallel=parallel, patience=patience)
    with deployed.history(history, writing=True) as known:
        if known.problem:
            deployed.screen.note(f"Letters that come back later won't be known: {known.problem}.")
        run = Redrive(plan, queue, invoker, known)
        tally = _run(deployed, run, depth)
    _report(deployed, tally)
    elsewhere = unseen(depth, len(tally.verdicts))
    warn_in_flight(deployed, elsewhere)
    if tally.count(*UNFINISHED) or elsewhere:
        raise click.exceptions.Exit(LEFT)


def _confirmed(deployed: Deployed, depth: Depth) -> bool:
    question = f"Send the dead letters of {deployed.stack.name} again (there are about {depth.visible})?"
    return click.confirm(question, err=True)


def _run(deployed: Deployed, run: Redrive, depth: Depth) -> Tally:
    """Redrive, with progress; what stops it says where it stands."""
    with deployed.screen.progress("redrive", min(depth.visible, run.plan.most or depth.visible)) as advance:

        def tell(event: Event) -> None:
            if event.verdict is Verdict.NOT_DELETED:
                advance(1)
            elif event.verdict in UNFINISHED:
                _name(deployed, event)

        run.tell = tell
        try:
            return run.run(depth)
        except KeyboardInterrupt as error:
            raise StoppedError(f"Interrupted: {_standing(run.tally)}.") from error
        except OperateError as error:
            raise type(error)(f"{error} {_standing(run.tally).capitalize()}.") from error


def _name(deployed: Deployed, event: Event) -> None:
    letter = event.finding.letter
    of = f" (record {letter.record_id})" if letter.record_id else ""
    deployed.screen.note(
        f"Left: letter {letter.message_id}{of}, {event.verdict.value}: {event.reason}.",
        kind=f"are {event.verdict.value}",
    )


def _standing(tally: Tally) -> str:
    sent, not_deleted = tally.count(Verdict.SENT), tally.count(Verdict.NOT_DELETED)
    stands = f"{sent} letters were sent again and deleted, everything else is still in the queue"
    return stands if not not_deleted else f"{stands}, {not_deleted} of it sent again already"


def _report(deployed: Deployed, tally: Tally) -> None:
    rows = [(verdict.value, count) for verdict in Verdict if (count := tally.count(verdict)) or verdict is Verdict.SENT]
    sent = ((stage, tally.targets[stage]) for stage in deployed.pipeline.aliases)
    rows += [(f"sent to the {stage}", count) for stage, count in sent if count]
    if tally.redriven_before:
        rows.append(("sent again not for the first time", tally.redriven_before))
    deployed.screen.table("", ("Letters", "Count"), rows)


def _rehearse(deployed: Deployed, plan: Plan, queue: DeadLetterQueue, depth: Depth, history: Path | None) -> None:
    """Judge all letters and send none."""
    targets, before, left = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[Verdict]()
    seen = 0
    with (
        deployed.history(history) as known,
        deployed.screen.progress("redrive (dry run)", depth.visible) as advance,
        look(queue, depth) as letters,
    ):
        for seen, letter in enumerate(letters, 1):  # noqa: B007 - it is how many there were
            advance(1)
            finding = examine(letter, plan.stack, known)
            if verdict := plan.judge(finding):
                left[verdict] += 1
                if verdict in UNFINISHED:
                    _name(deployed, Event(finding, verdict, finding.problem))
            elif plan.most is None or targets.total() < plan.most:
                way = finding.stage_name, plan.target(finding)
                targets[way] += 1
                before[way] += bool(finding.redriven)
    rows = [(*way, count, before[way]) for way, count in sorted(targets.items())]
    deployed.screen.table("Would be sent", ("Failed stage", "To", "Letters", "Redriven before"), rows)
    if left:
        deployed.screen.say("")
        deployed.screen.table("Would be left", ("Because", "Letters"), [(v.value, n) for v, n in left.items()])
    warn_in_flight(deployed, unseen(depth, seen))
