"""The report of a run, for people as tables and for programs as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from pipeline.terminal.printable import counted, printable
from pipeline.terminal.tables import show_parts, show_table

from .reconcile import Fate, Ledger, Outcome

READER = "the reader"
MOST_ROWS = 25
"""A table of more rows than these counts its outcomes instead."""
LONGEST_ID = 2048
"""Characters of an id that are shown: no longer one can be stored."""
LONGEST_DETAIL = 200
"""Characters of a reason that are shown."""
OTHERS = "other reasons"


class Report(NamedTuple):
    """The outcome of a run."""

    ledger: Ledger
    seconds: float
    queue: dict[str, Any]
    """The queue's last state."""
    by: str = "Lambda"
    """Who refused lines: the reader of files, which says why of each, or Lambda itself."""
    unsent: int | None = None
    """Lines that were not submitted when the run was stopped; None where it was not."""

    def count(self, *fates: Fate) -> int:
        """Return how many lines had one of these fates."""
        return self.ledger.count(*fates)

    @property
    def submitted(self) -> int:
        """Lines that Lambda accepted."""
        return self.count(Fate.STORED, Fate.DEAD, Fate.LOST)

    def metric(self, name: str) -> int:
        """Return one of the queue's counts, over all functions."""
        return sum(counts.get(name, 0) for counts in self.queue["functions"].values())

    @property
    def problems(self) -> list[str]:
        """Why the run is not a success; empty if it is one."""
        found = [f"the queue failed: {error}" for error in self.queue["errors"]]
        if self.unsent is not None:
            on_the_way = counted(self.queue["open"], "event", "events")
            not_sent = counted(self.unsent, "line", "lines")
            return [
                *found,
                f"stopped with {not_sent} not submitted; {on_the_way} on the way count as lost",
            ]
        if lost := self.count(Fate.LOST):
            sum_up = f"{self.count(Fate.STORED)} stored + {self.count(Fate.DEAD)} dead"
            submitted = f"{counted(self.submitted, 'record was', 'records were')} submitted"
            found.append(f"{submitted}, but {sum_up} leave {lost} lost")
        if (refused := self.count(Fate.REFUSED)) and self.by != READER:
            lines = counted(self.count(*Fate), "line", "lines")
            found.append(f"{refused} of {lines} {'was' if refused == 1 else 'were'} refused")
        if not self.count(Fate.STORED):
            found.append("nothing was stored")
        return found

    def _read(self) -> dict[str, Any]:
        """Return the report as JSON has it, its lists as they are read; each submitted line is counted once."""
        return {
            "submitted": self.submitted,
            "events": self.ledger.events,
            "stored": self.count(Fate.STORED),
            "refused": self.count(Fate.REFUSED),
            "dead_letters": map(_dead, self.ledger.outcomes(Fate.DEAD)),
            "lost": self.count(Fate.LOST),
            "seconds": round(self.seconds, 3),
            "records_per_second": self.rate,
            "items": self.ledger.items,
            "enriched_by": self.ledger.enriched_by,
            "changed": self.ledger.changed,
            "stored_and_dead": self.ledger.stored_and_dead,
            "refused_lines": map(_refused, self.ledger.outcomes(Fate.REFUSED)),
            "lost_lines": map(_named, self.ledger.outcomes(Fate.LOST)),
            "dead_letter_errors": self.metric("DeadLetterErrors"),
            "destination_delivery_failures": self.metric("DestinationDeliveryFailures"),
            "problems": self.problems,
        }

    @property
    def rate(self) -> float:
        """Records a second."""
        return round(self.submitted / self.seconds, 1) if self.seconds else 0.0

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


def _array(values: Iterable[Any]) -> Iterator[str]:
    before = "["
    for value in values:
        yield f"{before}\n    {json.dumps(value, allow_nan=False)}"
        before = ","
    yield "[]" if before == "[" else "\n  ]"


def show(report: Report, console: Console) -> None:
    """Print the report as tables."""
    console.print()
    if report.count(*Fate) <= MOST_ROWS:
        _show_lines(report.ledger.outcomes(*Fate), console)
    else:
        _show_counts(report.ledger.groups(), console)
    _show_losses(report, console)
    events, submitted = report.ledger.events, report.submitted
    in_events = f" in {counted(events, 'event', 'events')}" if events < submitted else ""
    show_parts(
        console,
        [
            f"{submitted} submitted{in_events}: {report.count(Fate.STORED)} stored, "
            f"{counted(report.count(Fate.DEAD), 'dead letter', 'dead letters')}, {report.count(Fate.LOST)} lost;",
            f"{report.count(Fate.REFUSED)} refused by {report.by}.",
            f"{report.seconds:.1f} s, {report.rate} records/s.",
        ],
    )
    if report.unsent is not None:
        show_parts(console, [f"{problem[0].upper()}{problem[1:]}." for problem in report.problems])


def show_items(report: Report, console: Console) -> None:
    """Print the stored items that it keeps, each as a line of JSON, in the order of their keys."""
    for item in report.ledger.shown_items():
        text = json.dumps(item, ensure_ascii=False, separators=(", ", ": "))
        console.print(Text(printable(text)), soft_wrap=True)


def _show_losses(report: Report, console: Console) -> None:
    reasons = Counter((loss["metric"], loss["reason"]) for loss in report.queue["losses"])
    for (metric, reason), number in reasons.most_common():
        console.print(Text(f"{metric}: {counted(number, 'time', 'times')}: {printable(reason)}", "red"))


STYLES = {Fate.STORED: "green", Fate.DEAD: "yellow", Fate.REFUSED: "yellow", Fate.LOST: "red"}


def _show_lines(outcomes: Iterable[Outcome], console: Console) -> None:
    lines = list(outcomes)
    rows = [(str(line.line), _shown(line.id or "", LONGEST_ID), *_row(line)) for line in lines]
    styles = [STYLES[line.fate] for line in lines]
    show_table(console, ("line", "id", "outcome", "detail"), rows, styles=styles)


def _show_counts(groups: Iterable[tuple[Outcome, int]], console: Console) -> None:
    """Print how many lines had each outcome; beyond so many outcomes, how many had another one."""
    counts = Counter[tuple[str, ...]]()
    styles: dict[str, str] = {fate.value: style for fate, style in STYLES.items()}
    for outcome, number in groups:
        row = _row(outcome)
        counts[row if row in counts or len(counts) < MOST_ROWS else (row[0], OTHERS)] += number
    found = sorted(counts.items(), key=lambda item: (item[0][-1] == OTHERS, -item[1]))
    rows = [(str(number), *row) for row, number in found]
    show_table(console, ("records", "outcome", "detail"), rows, styles=[styles[row[0]] for row, _ in found])


def _row(outcome: Outcome) -> tuple[str, str]:
    detail = f"{outcome.stage}: {outcome.reason}" if outcome.stage else outcome.reason
    if outcome.enriched_by and outcome.fate is Fate.STORED:
        detail = ", ".join(sorted(map(_enrichment, outcome.enriched_by))) + outcome.changed * "; data was changed"
    return outcome.fate.value, _shown(detail, LONGEST_DETAIL)


def _enrichment(version: str | None) -> str:
    return f"enriched by version {version}" if version else "not enriched"


def _shown(text: str, most: int) -> str:
    """Shorten a text that may be a record's own."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def _named(line: Outcome) -> dict[str, Any]:
    return {"line": line.line, "id": line.id, "request_id": line.request_id}


def _refused(line: Outcome) -> dict[str, Any]:
    return {"line": line.line, "reason": line.reason}


def _dead(line: Outcome) -> dict[str, Any]:
    return _named(line) | {"stage": line.stage, "reason": line.reason, "error_code": line.error_code}
