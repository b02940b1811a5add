"""The report of a run, whatever the records hold."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from pipeline.local.lines import Line
from pipeline.local.picture import picture, recording_console
from pipeline.local.reconcile import Fate, Ledger
from pipeline.local.report import MOST_ROWS, Report, show, show_items
from pipeline.local.results import Item
from pipeline.local.submit import Submission
from rich.console import Console
from tools.tests.local.letters import failures, message

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


def line(number: int, document: object) -> Submission:
    """Return a line that Lambda accepted."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Submission(Line(number, content), "request")


def refused(number: int, reason: str, document: object = b"no json") -> Submission:
    return line(number, document)._replace(request_id=None, refusal=reason)


def reported(
    *submissions: Submission, items: list[Item] | None = None, dead: object = None, queue: dict[str, Any] = QUEUE
) -> Report:
    """Report on lines, of which some are items, and one may be a dead letter."""
    ledger = Ledger(showing_items=True)
    ledger.add(submissions)
    ledger.judge(items or [], failures(message(dead, "validator")) if dead else [])
    return Report(ledger, 1.0, queue)


def printed(report: Report) -> tuple[str, str]:
    """Print a report; return what was printed, and the picture of it."""
    console = recording_console()
    console.file = io.StringIO()
    show(report, console)
    return console.file.getvalue(), picture(console, "a run")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("many", [1, 30])
def test_what_a_record_holds_is_neither_markup_nor_control(name: str, many: int) -> None:
    text, svg = printed(reported(*(refused(number, f"no {name}", {"id": name}) for number in range(many))))
    assert f"no {name}" in text or not (name.isprintable() and name.isascii())
    assert text.replace("\n", "").isprintable()
    assert "href" not in svg


def test_why_something_was_lost_is_no_markup_either() -> None:
    loss = {"metric": "DeadLetterErrors", "reason": "[/] \u202e"}
    text, _ = printed(reported(queue={**QUEUE, "losses": [loss]}))
    assert "DeadLetterErrors: 1 time: [/] \\u202e" in text


def test_a_number_beyond_any_float_stays_out_of_the_json() -> None:
    report = reported(line(1, b'{"id": "a", "timestamp": 1, "data": 1e400}'), items=[Item("a", 1, "Infinity", "1.0")])
    found = json.loads("".join(report.json()), parse_constant=pytest.fail)
    assert found["stored"] == 1


def test_the_json_is_the_document_however_long_its_lists_are() -> None:
    stored = [Item("a", 1, "1", "1.0")]
    lines = [line(1, {"id": "a", "timestamp": 1, "data": 1}), line(2, {"id": "bad"}), line(3, {"id": "lost\ud800"})]
    report = reported(*lines, refused(4, "no JSON"), refused(5, "no UTF-8"), items=stored, dead={"id": "bad"})
    document = report.document()
    assert json.loads("".join(report.json())) == document
    assert [(one["line"], one["id"], one["stage"]) for one in document["dead_letters"]] == [(2, "bad", "validator")]
    assert document["lost_lines"] == [{"line": 3, "id": "lost\ud800", "request_id": "request"}]
    assert [one["reason"] for one in document["refused_lines"]] == ["no JSON", "no UTF-8"]
    assert 'dead_letters": []' in "".join(reported().json())


def test_a_line_whose_document_python_can_not_read_is_lost_and_no_traceback() -> None:
    assert reported(line(1, b"1" * 5000)).count(Fate.LOST) == 1


def test_refused_lines_and_an_empty_table_are_problems() -> None:
    stored, bad = line(1, {"id": "a", "timestamp": 1, "data": 1}), line(2, {"id": "bad"})
    items = [Item("a", 1, "1", "1.0")]
    assert reported(stored, bad, items=items, dead={"id": "bad"}).problems == []
    assert reported(stored, refused(2, "no"), items=items).problems == ["1 of 2 lines was refused"]
    assert reported(bad, dead={"id": "bad"}).problems == ["nothing was stored"]


def test_changed_data_is_a_note() -> None:
    stored = Item("a", 1, '"b"', "1.0")
    text, _ = printed(reported(line(1, {"id": "a", "timestamp": 1, "data": "a"}), items=[stored]))
    assert "enriched by version 1.0; data was changed" in text


def test_a_line_that_is_stored_and_dead_counts_as_stored_and_is_told_apart() -> None:
    both, stored = ({"id": name, "timestamp": 1, "data": 1} for name in "ab")
    items = [Item(name, 1, "1", "1.0") for name in "ab"]
    document = reported(line(1, [both, stored]), line(2, stored), items=items, dead=both).document()
    assert (document["stored"], document["stored_and_dead"], document["dead_letters"]) == (2, 1, [])


def test_a_line_that_was_submitted_again_counts_once() -> None:
    stored = line(1, {"id": "a", "timestamp": 1, "data": 1})
    document = reported(stored, stored, items=[Item("a", 1, "1", "1.0")]).document()
    assert (document["submitted"], document["stored"], document["enriched_by"]) == (1, 1, {"1.0": 1})


def test_items_are_shown_as_lines_of_json_in_the_order_of_their_keys() -> None:
    console = Console(file=io.StringIO(), width=20)
    keys = [("b", 10), ("b", 9), ("a\u202e", 1)]
    items = [Item(name, at, "1", None, {"id": name, "at": at, "data": "x" * 30}) for name, at in keys]
    show_items(reported(items=items), console)
    first, *others = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert json.loads(first) == {"id": "a\u202e", "at": 1, "data": "x" * 30}
    assert first.isprintable()
    assert [json.loads(one)["at"] for one in others] == [9, 10]


def test_of_many_reasons_the_most_frequent_are_shown_and_the_others_counted() -> None:
    lines = [refused(number, f"reason {max(number, 3)}") for number in range(1, 101)]
    text, _ = printed(reported(*lines))
    rows = [re.split(r"  +", one.strip()) for one in text.splitlines() if " refused " in one and "by" not in one]
    assert (rows[0], rows[-1]) == (["3", "refused", "reason 3"], ["73", "refused", "other reasons"])
    assert len(rows) == MOST_ROWS + 1
    assert sum(int(row[0]) for row in rows) == 100


# Narrow terminals


LONG = ["6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11", "order/" + "x" * 54, "y" * 100, "z" * 2048]


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("name", LONG, ids=len)
def test_whatever_the_width_no_id_is_cut_and_no_word_of_a_reason_broken(name: str, width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    reason = "Invalid data: a record must be a JSON object (got an integer) and this sentence goes on for a while"
    show(reported(line(1, {"id": name}), refused(2, reason, {"id": name}), dead={"id": name}), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.count(name) == 2
    assert set(reason.split()) <= set(text.split())
    assert max(len(one) for one in text.splitlines() if name not in one) <= width


def test_the_sum_is_broken_between_its_parts_where_it_is_too_long() -> None:
    console = Console(file=io.StringIO(), width=80)
    submissions = [line(number, {"id": f"r-{number}"}) for number in range(100_000, 100_100)]
    show(reported(*submissions), console)
    *_, first, second = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert first == "100 submitted in 1 event: 0 stored, 0 dead letters, 100 lost;"
    assert second == "0 refused by Lambda. 1.0 s, 100.0 records/s."
