"""The command `redrive`."""

import sys
from collections import Counter

import click

from pipeline.commands.shared.context import Context, in_json, of_stack
from pipeline.commands.shared.findings import findings, note_full, note_unseen
from pipeline.commands.shared.options import keys_only_option, selecting, sending, settling
from pipeline.commands.shared.settling import RATE, Pauses
from pipeline.errors import EXIT_CODES, LEFT, MisuseError, standing
from pipeline.letters.following import Following
from pipeline.letters.plan import Plan
from pipeline.letters.queue import Depth
from pipeline.letters.redrive import Redrive
from pipeline.letters.selection import Selection
from pipeline.letters.verdicts import UNFINISHED, Handled, RedriveCounts, Verdict
from pipeline.records.bucket import Bucket
from pipeline.stack import ENTRY
from pipeline.terminal.printable import counted


@click.command("redrive", epilog=EXIT_CODES)
@click.option(
    "--to", metavar="STAGE", help="Send to this stage; entry is the pipeline's first.  [default: the stage that failed]"
)
@click.option("--split", is_flag=True, help="Send the records of a batch one by one.")
@click.option("--max", "most", type=click.IntRange(min=1), help="Send at most so many letters.")
@click.option(
    "--visibility-timeout",
    type=click.IntRange(2, 43200),
    default=60,
    help="Seconds until letters come back if this command is killed.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@settling(
    "Wait until each record that was sent is stored or a dead letter again; 0 then means that all are stored.",
    quiet=240,
    after="after which it waits no longer",
)
@keys_only_option
@sending("Events a second at most; fewer while AWS throttles.  [default: no limit]")
@in_json
@of_stack
@selecting
def redrive(
    context: Context,
    *,
    selection: Selection,
    to: str | None,
    split: bool,
    most: int | None,
    visibility_timeout: int,
    dry_run: bool,
    yes: bool,
    settle: bool,
    quiet: float,
    keys_only: bool,
    rate: float | None,
    parallel: int,
    patience: float,
) -> None:
    """Send dead letters again to the stage that failed.

    The command deletes each letter whose event Lambda accepted; the others stay in the queue. It names and leaves
    letters that belong to no stage or are not JSON. If it is killed, the same command goes on. It may send a letter
    twice, which stores nothing twice: a record without a timestamp gets the one that the pipeline gave it, or its
    letter's.

    The command leaves letters that arrive after it began. It names those of an event that it sent, because their cause
    is still there. With --settle, it waits until each record is stored or a dead letter again.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise MisuseError("redrive sends events and deletes letters: give --yes, or run it on a terminal to be asked.")
    target = ENTRY if to == "entry" else to
    context.require_stages([target] if target else [])
    plan = Plan(context.pipeline, selection, target, most, split, visibility_timeout, parallel)
    if dry_run:
        _rehearse(context, plan)
        return
    queue = context.queue(connections=parallel)
    depth = queue.depth()
    question = f"Send the dead letters of {context.stack.name} again (there are about {depth.visible})?"
    if not yes and not click.confirm(question, err=True):
        context.screen.note("Nothing was sent.")
        raise click.exceptions.Exit(LEFT)
    run = Redrive(plan, queue, context.invoker(rate=rate, parallel=parallel, patience=patience))
    following = Following(plan.stack.pipeline, keys_only=keys_only)
    if settle:
        run.sender.follow, run.sender.follow_file = following.add, following.add_file
    counts = _run(context, run, depth)
    if settle:
        _settle(context, run, following, quiet)
    _report(context, counts, following if settle else None)
    unseen = note_unseen(context.screen, depth, len(counts.verdicts))
    _say_what_is_left(context, run, is_open=not settle)
    left = following.came_back + following.open + following.not_whole + following.not_followed
    if counts.count(*UNFINISHED) or unseen or left:
        raise click.exceptions.Exit(LEFT)


def _run(context: Context, run: Redrive, depth: Depth) -> RedriveCounts:
    """Redrive, with progress; what stops it says where it stands."""
    with context.screen.progress("redrive", min(depth.visible, run.plan.most or depth.visible)) as advance:

        def tell(handled: Handled) -> None:
            if handled.verdict is Verdict.NOT_DELETED:
                advance(1)
            elif handled.verdict in UNFINISHED:
                _name(context, handled)

        run.counts.tell = tell
        with standing(lambda: _standing(run.counts)):
            return run.run(depth)


def _settle(context: Context, run: Redrive, following: Following, quiet: float) -> None:
    """Follow what was sent until it is stored or a dead letter again, or it was quiet for too long."""
    table, pauses, letters = context.table(rate=RATE), Pauses(quiet), -1
    bucket = Bucket(context.access.client("s3"), context.stack.bucket) if context.stack.bucket else None
    with (
        context.screen.progress("settle", following.open) as advance,
        standing(lambda: f"of the records that were sent, {following.stored} are stored and {following.open} are open"),
    ):
        while following.open:
            before = following.open
            following.look_at(table)
            if bucket:
                following.look_at_files(bucket)
            if (depth := context.queue().depth().visible) != letters:
                letters = depth
                with findings(context, shown=False) as (found, _):
                    following.look_through(finding for finding in found if run.came_back(finding))
            if following.open < before:
                advance(before - following.open)
                pauses.news()
            elif not pauses.wait():
                return


def _name(context: Context, handled: Handled) -> None:
    finding, verdict = handled.finding, handled.verdict.value
    if context.screen.as_json:
        letter = {"message_id": finding.letter.message_id, "stage": finding.attribution.stage, "id": finding.record_id}
        context.screen.document.setdefault("left", []).append(letter | {"verdict": verdict, "reason": handled.reason})
        return
    of = f" (record {finding.record_id})" if finding.record_id else ""
    context.screen.note(f"Left: letter {finding.letter.message_id}{of}, {verdict}: {handled.reason}.", kind=verdict)


def _standing(counts: RedriveCounts) -> str:
    sent = counted(counts.count(Verdict.SENT), "letter was", "letters were")
    stands = f"{sent} sent again and deleted, everything else is still in the queue"
    if not_deleted := counts.count(Verdict.NOT_DELETED):
        stands += f", of which {counted(not_deleted, 'was', 'were')} already sent again"
    return stands


def _report(context: Context, counts: RedriveCounts, following: Following | None) -> None:
    rows = [
        (verdict.value, count) for verdict in Verdict if (count := counts.count(verdict)) or verdict is Verdict.SENT
    ]
    rows += [(f"sent to the {stage}", count) for stage in context.pipeline.stages if (count := counts.targets[stage])]
    context.screen.table("", ("Letters", "Count"), rows)
    if following:
        back = ("dead letters again", following.came_back)
        files = [("files with every line stored", following.whole), ("files with other lines", following.not_whole)]
        others = [*files, ("events that are not followed", following.not_followed)]
        rows = [("stored", following.stored), back, ("still open", following.open), *(one for one in others if one[1])]
        context.screen.say("")
        context.screen.table("", ("Records", "Count"), rows)


def _say_what_is_left(context: Context, run: Redrive, *, is_open: bool) -> None:
    left = run.queue.depth()
    letters = counted(left.visible + left.in_flight, "dead letter is", "dead letters are")
    in_hand = f", {left.in_flight} of them received by somebody" if left.in_flight else ""
    context.screen.note(f"{letters} left{in_hand}.")
    if left.is_full:
        note_full(context.screen, run.queue)
    if is_open and (targets := [stage for stage in context.pipeline.stages if run.counts.targets[stage]]):
        hours = max(map(context.pipeline.hours_from, targets))
        context.screen.note(
            f"Lambda may work on these events for up to {hours:g} h, mostly some minutes. An event that fails again "
            "becomes a dead letter again. --settle waits for the end."
        )


def _rehearse(context: Context, plan: Plan) -> None:
    targets, left = Counter[tuple[str, str]](), Counter[Verdict]()
    with findings(context, progress="redrive (dry run)") as (found, _):
        for finding in found:
            if isinstance(events := plan.events(finding), Handled):
                left[events.verdict] += 1
                if events.verdict in UNFINISHED:
                    _name(context, events)
            elif plan.most is None or targets.total() < plan.most:
                targets[finding.stage_name, plan.target(finding)] += 1
    rows = [(*way, count) for way, count in sorted(targets.items())]
    context.screen.table("Would be sent", ("Failed stage", "To", "Letters"), rows)
    if left:
        context.screen.say("")
        context.screen.table("Would be left", ("Because", "Letters"), [(v.value, n) for v, n in left.items()])
