"""The command `redrive`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from pipeline.commands.context import EXIT_CODES, Context, of_stack, selecting, sending
from pipeline.errors import LEFT, MisuseError, standing
from pipeline.letters.queue import Depth
from pipeline.letters.redrive import UNFINISHED, Plan, Redrive, RedriveCounts, Result, Verdict
from pipeline.letters.selection import Selection
from pipeline.stack import ENTRY
from pipeline.terminal.printable import counted


@click.command("redrive", epilog=EXIT_CODES)
@click.option(
    "--to",
    metavar="STAGE",
    help="Send to this stage; entry is the pipeline's first.  [default: the stage that failed]",
)
@click.option("--split", is_flag=True, help="Send the records of a batch that failed as a whole one by one.")
@click.option("--max", "most", type=click.IntRange(min=1), help="Send so many letters at most.")
@click.option(
    "--max-redrives", type=click.IntRange(min=1), help="Leave letters whose event was redriven so often before."
)
@click.option(
    "--visibility-timeout",
    type=click.IntRange(2, 43200),
    default=60,
    show_default=True,
    help="Seconds after which letters in flight come back if this is killed.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be sent where.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@sending("Events a second at most; fewer while AWS throttles.  [default: as fast as it goes]")
@of_stack
@selecting
def redrive(
    context: Context,
    *,
    selection: Selection,
    history: Path | None,
    to: str | None,
    split: bool,
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
    an event that was just sent is named, also a moment after the last was sent, as its cause is not mended.
    dead-letters shows how often an event was sent.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise MisuseError("redrive sends events and deletes letters: give --yes, or run it on a terminal to be asked.")
    target = ENTRY if to == "entry" else to
    context.require_stages([target] if target else [])
    plan = Plan(context.pipeline, selection, target, most, max_redrives, split, visibility_timeout, parallel)
    if dry_run:
        _rehearse(context, plan, history)
        return
    queue = context.queue(connections=parallel)
    depth = queue.depth()
    if not yes and not _confirmed(context, depth):
        context.screen.note("Nothing was sent.")
        raise click.exceptions.Exit(LEFT)
    invoker = context.invoker(rate=rate, parallel=parallel, patience=patience)
    with context.history(history, writing=True) as known:
        if known.problem:
            context.screen.note(f"Letters that come back later won't be known: {known.problem}.")
        counts = _run(context, Redrive(plan, queue, invoker, known), depth)
    _report(context, counts)
    left, unseen = queue.depth(), context.note_unseen(depth, len(counts.verdicts))
    letters = counted(left.visible + left.in_flight, "dead letter is", "dead letters are")
    in_hand = f", {left.in_flight} of them in a reader's hands" if left.in_flight else ""
    context.screen.note(f"{letters} left{in_hand}.")
    if left.is_full:
        context.note_full(queue)
    if counts.count(*UNFINISHED) or unseen:
        raise click.exceptions.Exit(LEFT)


def _confirmed(context: Context, depth: Depth) -> bool:
    question = f"Send the dead letters of {context.stack.name} again (there are about {depth.visible})?"
    return click.confirm(question, err=True)


def _run(context: Context, run: Redrive, depth: Depth) -> RedriveCounts:
    """Redrive, with progress; what stops it says where it stands."""
    with context.screen.progress("redrive", min(depth.visible, run.plan.most or depth.visible)) as advance:

        def tell(result: Result) -> None:
            if result.verdict is Verdict.NOT_DELETED:
                advance(1)
            elif result.verdict in UNFINISHED:
                _name(context, result)

        run.tell = tell
        with standing(lambda: _standing(run.counts)):
            run.run(depth)
            run.look_again()
    return run.counts


def _name(context: Context, result: Result) -> None:
    finding, verdict = result.finding, result.verdict.value
    of = f" (record {finding.record_id})" if finding.record_id else ""
    context.screen.note(f"Left: letter {finding.letter.message_id}{of}, {verdict}: {result.reason}.", kind=verdict)


def _standing(counts: RedriveCounts) -> str:
    sent = counted(counts.count(Verdict.SENT), "letter was", "letters were")
    stands = f"{sent} sent again and deleted, everything else is still in the queue"
    if not_deleted := counts.count(Verdict.NOT_DELETED):
        stands += f", of which {counted(not_deleted, 'was', 'were')} already sent again"
    return stands


def _report(context: Context, counts: RedriveCounts) -> None:
    rows = [
        (verdict.value, count) for verdict in Verdict if (count := counts.count(verdict)) or verdict is Verdict.SENT
    ]
    rows += [(f"sent to the {stage}", count) for stage in context.pipeline.stages if (count := counts.targets[stage])]
    if counts.redriven_before:
        rows.append(("sent again not for the first time", counts.redriven_before))
    context.screen.table("", ("Letters", "Count"), rows)


def _rehearse(context: Context, plan: Plan, history: Path | None) -> None:
    """Judge all letters and send none."""
    targets, before, left = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[Verdict]()
    with context.findings(history, progress="redrive (dry run)") as (findings, _):
        for finding in findings:
            if isinstance(result := plan.events(finding), Result):
                left[result.verdict] += 1
                if result.verdict in UNFINISHED:
                    _name(context, result)
            elif plan.most is None or targets.total() < plan.most:
                way = finding.stage_name, plan.target(finding)
                targets[way] += 1
                before[way] += bool(finding.redriven)
    rows = [(*way, count, before[way]) for way, count in sorted(targets.items())]
    context.screen.table("Would be sent", ("Failed stage", "To", "Letters", "Redriven before"), rows)
    if left:
        context.screen.say("")
        context.screen.table("Would be left", ("Because", "Letters"), [(v.value, n) for v, n in left.items()])
