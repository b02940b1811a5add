from __future__ import annotations

import io
import re
import sys

import pytest

from operate.screen import Screen, counted


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


@pytest.mark.parametrize(("count", "text"), [(0, "0 letters"), (1, "1 letter"), (2, "2 letters")])
def test_one_is_not_many(count: int, text: str) -> None:
    assert counted(count, "letter", "letters") == text


@pytest.mark.parametrize(("width", "is_table"), [(80, False), (130, True)])
def test_what_does_not_fit_a_terminal_is_shown_line_by_line(
    monkeypatch: pytest.MonkeyPatch, width: int, is_table: bool
) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", str(width))
    request = "6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11"
    row = ("2026-01-01T00:00:00Z", "validator", "order-1", request, "a long error " * 10)
    Screen().table("Dead letters", ("Time", "Stage", "Record", "Request", "Error"), [row])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert (f"Request: {request}\n" in shown) != is_table
    assert all(len(line) <= width for line in shown.splitlines())
    for value in row[:-1]:
        assert value in shown


def test_notes_of_several_kinds_that_were_not_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for kind in ("lost", "late"):
        for number in range(25):
            screen.note(f"{kind} {number}", kind=kind)
    screen.close()
    assert re.findall(r"\.\.\. and 5 more: (\w+)", capsys.readouterr().err) == ["lost", "late"]
