"""What became of records, for people as a table and for programs as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from pipeline.records.judgement import Judged, Outcome
from pipeline.records.outcomes import FEW, OTHERS, Group, Outcomes
from pipeline.terminal.printable import counted, printable
from pipeline.terminal.tables import show_parts, show_table

LONGEST_ID = 2048  # characters of an id that are shown: no longer one can be stored
LONGEST_DETAIL = 200  # characters of a reason that are shown
LOST = (Outcome.MISSING, Outcome.DIFFERENT, Outcome.UNKNOWN)
"""What is neither stored nor explained when nothing is under way any more."""
STYLES = {Outcome.STORED: "green", Outcome.DEAD: "yellow", Outcome.REFUSED: "yellow", **dict.fromkeys(LOST, "red")}
DETAILS = {
    Outcome.DIFFERENT: "another record has its key",
    Outcome.UNKNOWN: "the pipeline gave it a timestamp, and other data is stored under its id",
}


class OutcomeTable(NamedTuple):
    """A table of outcomes."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    styles: list[str]


def outcomes_document(outcomes: Outcomes) -> dict[str, Any]:
    """Return what became of records as JSON has it, its lists as they are read."""
    return {
        "stored": outcomes.counts[Outcome.STORED],
        "refused": outcomes.counts[Outcome.REFUSED],
        "dead_letters": map(_dead, outcomes.listed(Outcome.DEAD)),
        "lost": sum(outcomes.counts[one] for one in LOST),
        "different": outcomes.counts[Outcome.DIFFERENT],
        "enriched_by": outcomes.enriched_by,
        "changed": outcomes.changed,
        "stored_and_dead": outcomes.stored_and_dead,
        "refused_lines": map(_refused, outcomes.listed(Outcome.REFUSED)),
        "lost_lines": map(_lost, outcomes.listed(*LOST)),
    }


def outcome_table(outcomes: Outcomes) -> OutcomeTable:
    """Return a row for each record; if there are many, a row for each outcome and reason with how many had it."""
    enriches = bool(outcomes.enriched_by)
    if outcomes.few:
        rows = [(str(one.line), _shown(one.id or "", LONGEST_ID), *_row(_group(one), enriches)) for one in outcomes.few]
        return OutcomeTable(("line", "id", "outcome", "detail"), rows, [STYLES[one.outcome] for one in outcomes.few])
    counts = Counter[tuple[str, ...]]()
    for group, number in outcomes.groups():
        row = _row(group, enriches)
        counts[row if row in counts or len(counts) < FEW else (row[0], OTHERS)] += number
    found = sorted(counts.items(), key=lambda item: (item[0][-1] == OTHERS, -item[1]))
    styles = [STYLES[Outcome(row[0])] for row, _ in found]
    return OutcomeTable(("records", "outcome", "detail"), [(str(number), *row) for row, number in found], styles)


class RunReport(NamedTuple):
    """The outcome of a run."""

    outcomes: Outcomes
    events: int  # that the records were accepted in
    seconds: float
    queue: Mapping[str, Any]  # the queue's last state
    unsent: int | None = None  # lines that were not submitted when the run was stopped; None if it was not

    def count(self, *outcomes: Outcome) -> int:
        """Return how many records had one of these outcomes."""
        return sum(self.outcomes.counts[outcome] for outcome in outcomes)

    @property
    def submitted(self) -> int:
        """Records that Lambda, or the reader of files, accepted."""
        return self.count(Outcome.STORED, Outcome.DEAD, *LOST)

    @property
    def rate(self) -> float:
        """Records a second."""
        return round(self.submitted / self.seconds, 1) if self.seconds else 0.0

    @property
    def problems(self) -> list[str]:
        """Why the run is not a success; empty if it is one."""
        found = [f"the queue failed: {error}" for error in self.queue["errors"]]
        if self.unsent is not None:
            on_the_way = counted(self.queue["open"], "event", "events")
            not_sent = counted(self.unsent, "line", "lines")
            return [*found, f"stopped with {not_sent} not submitted; {on_the_way} on the way count as lost"]
        if lost := self.count(*LOST):
            sum_up = f"{self.count(Outcome.STORED)} stored + {self.count(Outcome.DEAD)} dead"
            submitted = f"{counted(self.submitted, 'record was', 'records were')} submitted"
            found.append(f"{submitted}, but {sum_up} leave {lost} lost")
        if refused := self.count(Outcome.REFUSED):
            records = counted(self.outcomes.total, "record", "records")
            found.append(f"{refused} of {records} {'was' if refused == 1 else 'were'} refused")
        if not self.count(Outcome.STORED):
            found.append("nothing was stored")
        return found

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {name: list(value) if isinstance(value, map) else value for name, value in self._read().items()}

    def json(self) -> Iterator[str]:
        """Write the report as JSON, piece by piece: its lists may be as long as the file."""
        before = "{"
        for name, value in self._read().items():
            yield f"{before}\n  {json.dumps(name)}: "
            yield from _array(value) if isinstance(value, map) else [json.dumps(value, allow_nan=False)]
            before = ","
        yield "\n}\n"

    def _read(self) -> dict[str, Any]:
        """Return the report as JSON has it, its lists as they are read."""
        return {
            "submitted": self.submitted,
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "records_per_second": self.rate,
            **outcomes_document(self.outcomes),
            "dead_letter_errors": self._metric("DeadLetterErrors"),
            "destination_delivery_failures": self._metric("DestinationDeliveryFailures"),
            "problems": self.problems,
        }

    def _metric(self, name: str) -> int:
        return sum(counts.get(name, 0) for counts in self.queue["functions"].values())


def show_run(report: RunReport, console: Console) -> None:
    """Print the report of a run."""
    console.print()
    table = outcome_table(report.outcomes)
    show_table(console, table.columns, table.rows, styles=table.styles)
    _show_losses(report, console)
    in_events = f" in {counted(report.events, 'event', 'events')}" if report.events < report.submitted else ""
    dead = counted(report.count(Outcome.DEAD), "dead letter", "dead letters")
    fates = f"{report.count(Outcome.STORED)} stored, {dead}, {report.count(*LOST)} lost;"
    refused, speed = f"{report.count(Outcome.REFUSED)} refused.", f"{report.seconds:.1f} s, {report.rate} records/s."
    show_parts(console, [f"{report.submitted} submitted{in_events}: {fates}", refused, speed])
    if report.unsent is not None:
        show_parts(console, [f"{problem[0].upper()}{problem[1:]}." for problem in report.problems])


def show_item(line: str, console: Console) -> None:
    """Print a stored item, which is a line of JSON."""
    console.print(Text(printable(line.rstrip("\n"))), soft_wrap=True)


def _show_losses(report: RunReport, console: Console) -> None:
    reasons = Counter((loss["metric"], loss["reason"]) for loss in report.queue["losses"])
    for (metric, reason), number in reasons.most_common():
        console.print(Text(f"{metric}: {counted(number, 'time', 'times')}: {printable(reason)}", "red"))


def _array(values: Iterable[Any]) -> Iterator[str]:
    before = "["
    for value in values:
        yield f"{before}\n    {json.dumps(value, allow_nan=False)}"
        before = ","
    yield "[]" if before == "[" else "\n  ]"


def _group(one: Judged) -> Group:
    return Group(one.outcome, *one.why[:2], one.enriched_by, one.changed)


def _row(group: Group, enriches: bool) -> tuple[str, str]:
    detail = f"{group.stage}: {group.reason}" if group.stage else group.reason or DETAILS.get(group.outcome, "")
    if group.outcome is Outcome.STORED:
        enriched = f"enriched by version {group.enriched_by}" if group.enriched_by else enriches * "not enriched"
        detail = "; ".join(filter(None, [enriched, group.changed * "data was changed"]))
    return group.outcome.value, _shown(detail, LONGEST_DETAIL)


def _shown(text: str, most: int) -> str:
    """Shorten a text that may be a record's own."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def _dead(one: Judged) -> dict[str, Any]:
    return _named(one) | one.why._asdict()


def _refused(one: Judged) -> dict[str, Any]:
    return {"line": one.line, "reason": one.why.reason}


def _lost(one: Judged) -> dict[str, Any]:
    return _named(one) | {"outcome": one.outcome.value, "reason": DETAILS.get(one.outcome, "")}


def _named(one: Judged) -> dict[str, Any]:
    return {"line": one.line, "id": one.id}
