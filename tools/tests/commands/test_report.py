"""The report of a run, whatever the records hold."""

from __future__ import annotations

import io
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from pipeline.commands.shared.picture import picture, recording_console
from pipeline.commands.shared.report import RunReport, show_item, show_run
from pipeline.records.claims import Claims
from pipeline.records.dead import Why
from pipeline.records.judgement import Judged, Outcome
from pipeline.records.outcomes import FEW, Outcomes

QUEUE: dict[str, Any] = {"functions": {}, "errors": [], "losses": []}
HOSTILE = [
    "[",
    "]",
    "\\[",
    "[/]",
    "[/red]",
    "[red]x[/red]",
    "[link=https://example.com]here[/link]",
    "x\\",
    ":skull:",
    "\x1b[31mred",
    "\ud800",
    "a\nb",
    "ad\u200bmin",
    "\u202egnp.exe",
]


def line(number: int, record_id: str | None = None, outcome: Outcome = Outcome.STORED, **more: Any) -> Judged:
    return Judged(number, record_id, outcome, **more)


def refused(number: int, reason: str, record_id: str | None = None) -> Judged:
    return line(number, record_id, Outcome.REFUSED, why=Why(reason=reason))


def dead(number: int, record_id: str | None, reason: str = "no data", stage: str = "validator") -> Judged:
    return line(number, record_id, Outcome.DEAD, why=Why(stage, reason, "200", "id-1"))


def lost(number: int, record_id: str | None) -> Judged:
    return line(number, record_id, Outcome.MISSING)


def reported(*judged: Judged, queue: dict[str, Any] = QUEUE, unsent: int | None = None) -> RunReport:
    """Report on records."""
    outcomes = Outcomes()
    outcomes.take(SimpleNamespace(run=lambda _: judged, claims=Claims()), [])  # type: ignore[arg-type]
    return RunReport(outcomes, 1, 1.0, queue, unsent)


def printed(report: RunReport) -> tuple[str, str]:
    """Print a report; return what was printed, and the picture of it."""
    console = recording_console()
    console.file = io.StringIO()
    show_run(report, console)
    return console.file.getvalue(), picture(console, "a run")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("many", [1, 30])
def test_what_a_record_holds_is_neither_markup_nor_control(name: str, many: int) -> None:
    text, svg = printed(reported(*(refused(number, f"no {name}", name) for number in range(many))))
    assert f"no {name}" in text or not (name.isprintable() and name.isascii())
    assert text.replace("\n", "").isprintable()
    assert "href" not in svg


def test_why_something_was_lost_is_no_markup_either() -> None:
    loss = {"metric": "DeadLetterErrors", "reason": "[/] \u202e"}
    text, _ = printed(reported(queue={**QUEUE, "losses": [loss]}))
    assert "DeadLetterErrors: 1 time: [/] \\u202e" in text


def test_the_json_is_the_document_however_long_its_lists_are() -> None:
    found = [
        line(1, "a", enriched_by="1.0"),
        dead(2, "bad"),
        lost(3, "lost\ud800"),
        refused(4, "no JSON"),
        line(5, "b", Outcome.DIFFERENT),
        line(6, "c", Outcome.UNKNOWN),
        refused(7, "no UTF-8"),
    ]
    report = reported(*found)
    document = report.document()
    assert json.loads("".join(report.json())) == document
    assert document["dead_letters"] == [
        {
            "line": 2,
            "id": "bad",
            "stage": "validator",
            "reason": "no data",
            "error_code": "200",
            "request_id": "id-1",
        }
    ]
    assert [(one["line"], one["id"], one["outcome"]) for one in document["lost_lines"]] == [
        (3, "lost\ud800", "missing"),
        (5, "b", "different"),
        (6, "c", "unknown"),
    ]
    assert [one["reason"] for one in document["refused_lines"]] == ["no JSON", "no UTF-8"]
    assert {name: document[name] for name in ("submitted", "stored", "refused", "lost", "different")} == {
        "submitted": 5,
        "stored": 1,
        "refused": 2,
        "lost": 3,
        "different": 1,
    }
    assert document["records_per_second"] == 5.0
    assert 'dead_letters": []' in "".join(reported().json())


def test_what_is_lost_or_refused_and_an_empty_table_are_problems() -> None:
    stored, bad = line(1, "a"), dead(2, "bad")
    assert reported(stored, bad).problems == []
    assert reported(stored, refused(2, "no")).problems == ["1 of 2 records was refused"]
    assert reported(bad).problems == ["nothing was stored"]
    assert reported(stored, lost(2, "b")).problems == ["2 records were submitted, but 1 stored + 0 dead leave 1 lost"]
    queue = {**QUEUE, "errors": ["it broke"], "open": 3}
    assert reported(stored, queue=queue).problems == ["the queue failed: it broke"]
    assert reported(lost(1, "b"), queue=queue, unsent=1).problems == [
        "the queue failed: it broke",
        "stopped with 1 line not submitted; 3 events on the way count as lost",
    ]


def test_how_a_record_was_stored_is_its_detail() -> None:
    text, _ = printed(reported(line(1, "a", enriched_by="1.0", changed=True), line(2, "b")))
    assert re.search(r"1 +a +stored +enriched by version 1.0; data was changed\n", re.sub(" +\n", "\n", text))
    assert re.search(r"2 +b +stored +not enriched\n", re.sub(" +\n", "\n", text))
    text, _ = printed(reported(line(1, "a", changed=True), line(2, "b")))  # by a pipeline without an enricher
    assert re.search(r"1 +a +stored +data was changed\n", re.sub(" +\n", "\n", text))
    assert "enriched" not in text


def test_an_item_is_shown_as_a_line_of_json() -> None:
    console = Console(file=io.StringIO(), width=20)
    show_item(json.dumps({"id": "a\u202e", "data": "x" * 30}, ensure_ascii=False) + "\n", console)
    (shown,) = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert (json.loads(shown), shown.isprintable()) == ({"id": "a\u202e", "data": "x" * 30}, True)


def test_of_many_reasons_the_most_frequent_are_shown_and_the_others_counted() -> None:
    lines = [refused(number, f"reason {max(number, 3)}") for number in range(1, 101)]
    text, _ = printed(reported(*lines))
    rows = [re.split(r"  +", one.strip()) for one in text.splitlines() if " refused " in one and "by" not in one]
    assert (rows[0], rows[-1]) == (["3", "refused", "reason 3"], ["73", "refused", "other reasons"])
    assert len(rows) == FEW + 1
    assert sum(int(row[0]) for row in rows) == 100


# Narrow terminals


LONG = ["6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11", "order/" + "x" * 54, "y" * 100, "z" * 2048]


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("name", LONG, ids=len)
def test_whatever_the_width_no_id_is_cut_and_no_word_of_a_reason_broken(name: str, width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    reason = "Invalid data: a record must be a JSON object (got an integer) and this sentence goes on for a while"
    show_run(reported(dead(1, name), refused(2, reason, name)), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.count(name) == 2
    assert set(reason.split()) <= set(text.split())
    assert max(len(one) for one in text.splitlines() if name not in one) <= width


def test_the_sum_is_broken_between_its_parts_where_it_is_too_long() -> None:
    console = Console(file=io.StringIO(), width=80)
    show_run(reported(*(lost(number, f"r-{number}") for number in range(100_000, 100_100))), console)
    *_, first, second = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first == "100 submitted in 1 event: 0 stored, 0 dead letters, 100 lost; 0 refused."
    assert second == "1.0 s, 100.0 records/s."
