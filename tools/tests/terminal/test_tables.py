"""Tables on terminals of any width."""

import io

import pytest
from rich.console import Console

from pipeline.terminal.tables import show_parts, show_table

COLUMNS = ("Id", "Stage", "Reason")
ROW = ("x" * 30, "", "a reason of several words, which may be broken between them")


def printed(width: int, *rows: tuple[str, ...], title: str = "") -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    show_table(console, COLUMNS, rows, title=title)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [62, 80, 120])
def test_what_fits_is_a_table_whose_last_column_alone_is_folded(width: int) -> None:
    names, _, *lines = printed(width, ROW)
    assert names.split() == list(COLUMNS)
    assert lines[0].startswith(ROW[0])
    assert " ".join(" ".join(lines).split()) == f"{ROW[0]} {ROW[2]}"


@pytest.mark.parametrize(("width", "is_table"), [(50, True), (49, False)])
def test_a_word_of_the_last_column_is_never_broken(width: int, is_table: bool) -> None:
    lines = printed(width, ("i" * 3, "s" * 10, f"one {'w' * 33}"))
    assert (lines[0].split() == list(COLUMNS)) == is_table
    assert "w" * 33 in " ".join(lines)


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
