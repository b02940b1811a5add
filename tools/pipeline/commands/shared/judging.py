"""What `run`, `verify` and --settle share: the dead letters read once, the lines judged, and the outcomes shown."""

from collections.abc import Iterable

from pipeline.commands.shared.context import Context
from pipeline.commands.shared.findings import findings
from pipeline.commands.shared.report import outcome_table, outcomes_document
from pipeline.errors import LEFT, standing
from pipeline.letters.selection import Finding
from pipeline.records.dead import DeadRecords, Why
from pipeline.records.judgement import Judged, Judgement, Outcome
from pipeline.records.outcomes import Outcomes
from pipeline.records.source import Source
from pipeline.terminal.printable import counted
from pipeline.terminal.screen import Screen


def dead_records(found: Iterable[Finding]) -> DeadRecords:
    """Return the records that letters are of."""
    dead = DeadRecords()
    for finding in found:
        letter = finding.letter
        dead.add(finding.attribution, Why(finding.stage_name, letter.error, letter.error_code, letter.request_id))
    return dead


def read_dead_records(context: Context, *, since: int = 0) -> DeadRecords:
    """Look at all dead letters of a stack, or at those since a time in ms since the epoch."""
    with findings(context) as (found, _):
        return dead_records(finding for finding in found if finding.letter.sent >= since)


def look(context: Context, source: Source, outcomes: Outcomes, judgement: Judgement) -> None:
    """Judge the lines, with progress in bytes; what stops it says how far it came."""
    done = 0
    with context.screen.progress("verify", source.size) as advance:

        def show(one: Judged) -> None:
            nonlocal done
            advance(one.end - done)
            done = one.end

        with standing(lambda: f"{counted(outcomes.total, 'record was', 'records were')} looked for"):
            outcomes.take(judgement, source.lines(), show)


def show_outcomes(screen: Screen, outcomes: Outcomes) -> int:
    """Print what became of records, and return the exit code that goes with it."""
    code = LEFT if outcomes.total > outcomes.counts[Outcome.STORED] else 0
    if screen.as_json:
        told = outcomes_document(outcomes)
        screen.document |= {name: list(value) if isinstance(value, map) else value for name, value in told.items()}
        return code
    table = outcome_table(outcomes)
    if not outcomes.few:
        for one in outcomes.listed(*(outcome for outcome in Outcome if outcome is not Outcome.STORED)):
            screen.note(_named(one), kind=one.outcome.value)
    screen.table("", table.columns, table.rows, styles=table.styles)
    screen.say("")
    screen.table("", ("Records", "Count"), [(outcome.value, outcomes.counts[outcome]) for outcome in Outcome])
    return code


def _named(one: Judged) -> str:
    of = f" (record {one.id})" if one.id else ""
    why = f": {one.why.stage}: {one.why.reason}" if one.why.stage else f": {one.why.reason}" if one.why.reason else ""
    return f"Line {one.line}{of}: {one.outcome.value}{why}."
