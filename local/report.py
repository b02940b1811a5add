"""The report of a run, for people as tables and for programs as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployed.printable import printable

from .reconcile import Fate, Item, Outcome

READER = "the reader"
MOST_ROWS = 25
"""A table of more rows than these counts its outcomes instead."""


class Report(NamedTuple):
    """The outcome of a run."""

    lines: Sequence[Outcome]
    items: Sequence[Item]
    """All that the table holds."""
    seconds: float
    queue: dict[str, Any]
    """The queue's last state."""
    by: str = "Lambda"
    """Who refused lines: the reader of files, which says why of each, or Lambda itself."""
    unsent: int | None = None
    """Lines that were not submitted when the run was stopped; None where it was not."""

    def count(self, *fates: Fate) -> int:
        """Return how many lines had one of these fates."""
        return sum(line.fate in fates for line in self.lines)

    @property
    def submitted(self) -> int:
        """Lines that Lambda accepted."""
        return len(self.lines) - self.count(Fate.REFUSED)

    def metric(self, name: str) -> int:
        """Return one of the queue's counts, over all functions."""
        return sum(counts.get(name, 0) for counts in self.queue["functions"].values())

    @property
    def problems(self) -> list[str]:
        """Why the run is not a success; empty if it is one."""
        found = [f"the queue failed: {error}" for error in self.queue["errors"]]
        if self.unsent is not None:
            on_the_way = _counted(self.queue["open"], "event")
            not_sent = _counted(self.unsent, "line")
            return [
                *found,
                f"stopped with {not_sent} not submitted; {on_the_way} on the way count as lost",
            ]
        if lost := self.count(Fate.LOST):
            sum_up = f"{self.count(Fate.STORED)} stored + {self.count(Fate.DEAD)} dead"
            submitted = f"{_counted(self.submitted, 'record')} {_were(self.submitted)} submitted"
            found.append(f"{submitted}, but {sum_up} leave {lost} lost")
        if (refused := self.count(Fate.REFUSED)) and self.by != READER:
            found.append(f"{refused} of {_counted(len(self.lines), 'line')} {_were(refused)} refused")
        if not self.count(Fate.STORED):
            found.append("nothing was stored")
        return found

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it; each submitted line is counted once."""
        return {
            "submitted": self.submitted,
            "events": len({line.submission.request_id for line in self.lines} - {None}),
            "stored": self.count(Fate.STORED),
            "refused": self.count(Fate.REFUSED),
            "dead_letters": [_dead(line) for line in self.lines if line.fate is Fate.DEAD],
            "lost": self.count(Fate.LOST),
            "seconds": round(self.seconds, 3),
            "records_per_second": round(self.submitted / self.seconds, 1) if self.seconds else 0.0,
            "items": len(self.items),
            "enriched_by": Counter(item.enriched_by for line in self.lines for item in line.items if item.enriched_by),
            "changed": sum(line.changed for line in self.lines),
            "stored_and_dead": sum(line.fate is Fate.STORED and bool(line.failures) for line in self.lines),
            "refused_lines": [_refused(line) for line in self.lines if line.fate is Fate.REFUSED],
            "lost_lines": [_named(line) for line in self.lines if line.fate is Fate.LOST],
            "dead_letter_errors": self.metric("DeadLetterErrors"),
            "destination_delivery_failures": self.metric("DestinationDeliveryFailures"),
            "problems": self.problems,
        }

    def json(self) -> str:
        """Write the report as JSON."""
        return json.dumps(self.document(), indent=2, allow_nan=False) + "\n"


def show(report: Report, console: Console) -> None:
    """Print the report as tables."""
    rows = [_row(line) for line in report.lines]
    console.print(_table(rows) if len(rows) <= MOST_ROWS else _counts(rows))
    _show_losses(report, console)
    document = report.document()
    in_events = f" in {_counted(document['events'], 'event')}" if document["events"] < document["submitted"] else ""
    console.print(
        f"{document['submitted']} submitted{in_events}: {document['stored']} stored, "
        f"{_counted(len(document['dead_letters']), 'dead letter')}, {document['lost']} lost; "
        f"{document['refused']} refused by {report.by}. {document['seconds']:.1f} s, "
        f"{document['records_per_second']} records/s.",
        highlight=False,
    )


def show_items(items: Iterable[Item], console: Console) -> None:
    """Print stored items, each as a line of JSON, in the order of their keys."""
    for item in sorted(items, key=lambda item: (item.id, item.timestamp)):
        text = json.dumps(item.fields, ensure_ascii=False, separators=(", ", ": "))
        console.print(Text(printable(text)), soft_wrap=True)


def _show_losses(report: Report, console: Console) -> None:
    reasons = Counter((loss["metric"], loss["reason"]) for loss in report.queue["losses"])
    for (metric, reason), number in reasons.most_common():
        console.print(Text(f"{metric}: {_counted(number, 'time')}: {printable(reason)}", "red"))


def _counted(number: int, one: str) -> str:
    """Return a number with what is counted, in the right number."""
    return f"{number} {one}{'s' * (number != 1)}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


class _Row(NamedTuple):
    line: str
    record: str
    fate: str
    stage: str
    detail: str


def _row(line: Outcome) -> _Row:
    stage, detail = "", ""
    if line.fate is Fate.REFUSED:
        stage, detail = "", line.submission.refusal or ""
    elif line.fate is Fate.DEAD:
        stage, detail = line.failures[0].stage, line.failures[0].letter.error
    elif line.items:
        detail = ", ".join(sorted({_enrichment(item) for item in line.items})) + line.changed * "; data was changed"
    return _Row(str(line.submission.line.number), line.id or "", line.fate.value, stage, detail)


def _enrichment(item: Item) -> str:
    return f"enriched by version {item.enriched_by}" if item.enriched_by else "not enriched"


STYLES = {Fate.STORED.value: "green", Fate.DEAD.value: "yellow", Fate.REFUSED.value: "yellow", Fate.LOST.value: "red"}


def _table(rows: Iterable[_Row]) -> Table:
    table = Table("line", "id", "outcome", "stage", "detail")
    for row in rows:
        table.add_row(*(_shown(cell) for cell in row), style=STYLES[row.fate])
    return table


def _counts(rows: Iterable[_Row]) -> Table:
    table = Table("outcome", "stage", "detail")
    table.add_column("records", justify="right")
    counts = Counter((row.fate, row.stage, row.detail) for row in rows)
    for (fate, stage, detail), number in counts.most_common():
        table.add_row(fate, _shown(stage), _shown(detail), str(number), style=STYLES[fate])
    return table


def _shown(text: str) -> Text:
    """Shorten a text that may be a record's own; as a Text, it is never markup."""
    return Text(printable(text[:200]))


def _named(line: Outcome) -> dict[str, Any]:
    return {"line": line.submission.line.number, "id": line.id, "request_id": line.submission.request_id}


def _refused(line: Outcome) -> dict[str, Any]:
    return {"line": line.submission.line.number, "reason": line.submission.refusal}


def _dead(line: Outcome) -> dict[str, Any]:
    stage, letter, _ = line.failures[0]
    return _named(line) | {"stage": stage, "reason": letter.error, "error_code": letter.error_code}
