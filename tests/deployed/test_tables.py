"""Tables on terminals of any width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from deployed.tables import show_parts, show_table

COLUMNS = ("Id", "Stage", "Reason")
ROW = ("x" * 30, "", "a reason of several words, which may be broken between them")


def printed(width: int, *rows: tuple[str, ...], title: str = "") -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    show_table(console, COLUMNS, rows, title=title)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [69, 80, 120])
def test_what_fits_is_a_table_whose_last_column_alone_is_folded(width: int) -> None:
    lines = [line.strip() for line in printed(width, ROW)]
    assert lines[1].split() == list(COLUMNS)
    assert lines[3].startswith(ROW[0])
    assert " ".join(" ".join(lines[3:]).split()) == f"{ROW[0]} {ROW[2]}"


def test_what_does_not_fit_is_values_with_their_names_but_for_the_empty_ones() -> None:
    assert printed(40, ROW, ("y", "validator", "short"), title="Title") == [
        "Title",
        f"Id: {ROW[0]}",
        "Reason: a reason of several words, which",
        "may be broken between them",
        "",
        "Id: y  Stage: validator  Reason: short",
        "",
    ]


@pytest.mark.parametrize("title", ["", "Title"])
def test_a_table_without_rows_has_its_columns(title: str) -> None:
    text = " ".join(printed(80, title=title))
    assert [name for name in (*COLUMNS, title) if name not in text] == []


def test_parts_are_broken_within_only_where_one_is_too_long_by_itself() -> None:
    console = Console(file=io.StringIO(), width=20)
    show_parts(console, ["one two.", "three four.", "five six seven eight nine ten.", "z" * 30])
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "one two. three four.",
        "five six seven eight",
        "nine ten.",
        "z" * 30,
    ]
