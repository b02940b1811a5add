"""The report of a run, whatever the records hold."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from local.picture import picture, recording_console
from local.reconcile import Fate, Item, Outcome, reconcile
from local.report import Report, show, show_items
from local.submit import Line, Submission

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


def outcome(content: bytes, fate: Fate = Fate.STORED, **more: Any) -> Outcome:
    return Outcome(Submission(Line(1, content), "request" if fate is not Fate.REFUSED else None), fate, **more)


def printed(*lines: Outcome, queue: dict[str, Any] = QUEUE) -> tuple[str, str]:
    """Print a report; return what was printed, and the picture of it."""
    console = recording_console()
    console.file = io.StringIO()
    show(Report(lines, [], 1.0, queue), console)
    return console.file.getvalue(), picture(console, "a run")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("many", [1, 30])
def test_what_a_record_holds_is_neither_markup_nor_control(name: str, many: int) -> None:
    line = outcome(json.dumps({"id": name}).encode(), Fate.REFUSED)
    line = line._replace(submission=line.submission._replace(refusal=f"no {name}"))
    text, svg = printed(*[line] * many)
    assert f"no {name}" in text or not (name.isprintable() and name.isascii())
    assert text.replace("\n", "").isprintable()
    assert "href" not in svg


def test_why_something_was_lost_is_no_markup_either() -> None:
    loss = {"metric": "DeadLetterErrors", "reason": "[/] \u202e"}
    text, _ = printed(queue={**QUEUE, "losses": [loss]})
    assert "DeadLetterErrors: 1 time: [/] \\u202e" in text


def test_a_number_beyond_any_float_stays_out_of_the_json() -> None:
    line = outcome(b'{"id": "a", "timestamp": 1e400, "data": 1e400}', items=(Item("a", 1, "Infinity", "1.0"),))
    found = json.loads(Report([line], [], 1.0, QUEUE).json(), parse_constant=pytest.fail)
    assert found["stored"] == 1


def test_a_line_whose_document_python_can_not_read_is_lost_and_no_traceback() -> None:
    (line,) = reconcile([Submission(Line(1, b"1" * 5000), "request")], [], [])
    assert line.fate is Fate.LOST


def test_refused_lines_and_an_empty_table_are_problems() -> None:
    stored, refused, dead = (outcome(b"{}", fate) for fate in (Fate.STORED, Fate.REFUSED, Fate.DEAD))
    assert Report([stored, dead], [], 1.0, QUEUE).problems == []
    assert Report([stored, refused], [], 1.0, QUEUE).problems == ["1 of 2 lines was refused"]
    assert Report([dead], [], 1.0, QUEUE).problems == ["nothing was stored"]


def test_changed_data_is_a_note() -> None:
    stored = Item("a", 1, '"b"', "1.0")
    text, _ = printed(outcome(b'{"id": "a", "timestamp": 1, "data": "a"}', items=(stored,), changed=True))
    assert "enriched by version 1.0; data was changed" in text


def test_items_are_shown_as_lines_of_json_in_the_order_of_their_keys() -> None:
    console = Console(file=io.StringIO(), width=20)
    items = [Item(name, 1, "1", None, {"id": name, "data": "x" * 30}) for name in ("b", "a\u202e")]
    show_items(items, console)
    first, second = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert json.loads(first) == {"id": "a\u202e", "data": "x" * 30}
    assert first.isprintable()
    assert json.loads(second)["id"] == "b"
