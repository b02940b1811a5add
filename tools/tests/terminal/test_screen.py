import io
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.commands.dead_letters import COLUMNS as DEAD_LETTERS
from pipeline.terminal.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_of_a_record_is_markup_in_a_table_or_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    screen = Screen()
    screen.table("[bold]t[/]", ("Record",), [("[link=https://example.com]a[/link] [/] [red]",)])
    screen.note("[link=https://example.com]n[/link] [/]")
    assert "[link=https://example.com]a[/link] [/] [red]" in out.getvalue()
    assert "[bold]t[/]" in out.getvalue()
    assert "[link=https://example.com]n[/link] [/]" in err.getvalue()


REQUEST = "6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11"
NAME = "order/" + "x" * 54
ERROR = "Invalid data: a record must be a JSON object (got an integer), and this sentence goes on for quite a while"
FUNCTION = "data-processing-validator-dev"
TABLES = {
    "letters": (DEAD_LETTERS, ("2026-01-01T00:00:00Z", "validator", NAME, "1", REQUEST, ERROR)),
    "reasons": (("Stage", "Letters", "Reason"), ("validator", 12, f"{ERROR} {NAME}")),
    "files": (("File", "State", "Lines", "Accepted", "Rejected", "Seconds"), (f"{NAME}.jsonl", "read", 9, 9, 0, 1.5)),
    "failed": (("File", "State", "Lines"), (f"{NAME}.jsonl", f"failed: {ERROR}", "")),
    "health": (("What", "State"), ("files in work", f"1, the oldest is {NAME}.jsonl.gz of 2026-01-01 00:00 UTC")),
    "alarms": (("State", "Alarm"), ("INSUFFICIENT_DATA", f"{FUNCTION}-provisioned-concurrency-spillover")),
    "redrive": (("Failed stage", "To", "Letters"), ("validator", "processor", 1)),
}
"""What the commands show, at its longest."""


def shown_on(monkeypatch: pytest.MonkeyPatch, width: int, show: Callable[[Screen], object]) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    show(Screen())
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())


@pytest.mark.parametrize("width", [80, 130, 200])
@pytest.mark.parametrize("table", TABLES)
def test_whatever_the_width_of_a_terminal_no_word_of_a_table_is_cut(
    monkeypatch: pytest.MonkeyPatch, table: str, width: int
) -> None:
    columns, row = TABLES[table]
    text = shown_on(monkeypatch, width, lambda screen: screen.table("Title", columns, [row]))
    words = {word for value in row for word in str(value).split()}
    assert sorted(word for word in words if word not in text) == []
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(("width", "is_table"), [(80, False), (200, True)])
def test_what_does_not_fit_a_terminal_is_shown_with_the_name_of_each_value(
    monkeypatch: pytest.MonkeyPatch, width: int, is_table: bool
) -> None:
    columns, row = TABLES["letters"]
    text = shown_on(monkeypatch, width, lambda screen: screen.table("Title", columns, [row]))
    assert (f"Request: {REQUEST}\n" in text) != is_table


def test_a_word_that_no_terminal_has_room_for_is_left_to_it_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "y" * 2048
    for show in (lambda screen: screen.table("", ("Record",), [(name,)]), lambda screen: screen.note(f"Left: {name}.")):
        assert name in shown_on(monkeypatch, 80, show)


def test_a_note_is_broken_between_words_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    note = f"Left: letter {REQUEST} (record {NAME}), {ERROR}."
    Screen().note(note)
    assert capsys.readouterr().err == f"{note}\n"
    text = shown_on(monkeypatch, 80, lambda screen: screen.note(note))
    assert text.split() == note.split()
    assert max(map(len, text.splitlines())) <= 80


def test_notes_of_several_kinds_that_were_not_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for kind in ("lost", "late"):
        for number in range(25):
            screen.note(f"{kind} {number}", kind=kind)
    screen.close()
    assert re.findall(r"\.\.\. and 5 more: (\w+)", capsys.readouterr().err) == ["lost", "late"]
