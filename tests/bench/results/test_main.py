"""The documentation's figures: tables and pictures from the JSON, in their places; no picture without a table."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.results.__main__ import DOCUMENT, main
from bench.results.figures import Plot
from tests.bench.results.samples import row, table

PLACE = "# Title\n\n<!-- bench: test -->\nold\n<!-- end -->\n\nMore.\n"


def insert(folder: Path, text: str) -> tuple[int, str, Path]:
    document, figures = folder / "text.md", folder / "figures.json"
    document.write_text(text)
    drawn = table(row("peer", 2.0), plot=Plot(("time (ms)",), "ms"))
    figures.write_text(json.dumps({"benches": [drawn.as_json()]}))
    done = CliRunner().invoke(main, [str(figures), "--into", str(document)])
    return done.exit_code, done.output, document


def test_a_table_and_its_picture_replace_what_was_there(tmp_path: Path) -> None:
    code, _, document = insert(tmp_path, PLACE)
    text = document.read_text()
    assert code == 0
    assert "| peer | 2 (1.00) |" in text
    assert "![A test](text/test.svg)" in text
    assert (tmp_path / "text" / "test.svg").read_text().startswith("<svg")
    assert "old" not in text
    assert text.endswith("<!-- end -->\n\nMore.\n")


@pytest.mark.parametrize("text", ["# Title\n", PLACE * 2])
def test_a_document_without_the_one_place_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    code, output, document = insert(tmp_path, text)
    assert code == 1
    assert "must have one place for 'test'" in output
    assert document.read_text() == text


def test_the_documentation_shows_every_picture_and_each_exists() -> None:
    shown = re.findall(r"!\[.+\]\((performance/\S+\.svg)\)", DOCUMENT.read_text())
    assert shown
    folder = DOCUMENT.parent
    assert sorted(shown) == sorted(str(path.relative_to(folder)) for path in (folder / "performance").glob("*.svg"))


def test_a_sentence_before_each_picture_says_what_to_see() -> None:
    paragraphs = re.split(r"\n{2,}", re.sub(r"\*\*.*?\*\*", "", DOCUMENT.read_text()))
    marked = [i for i, text in enumerate(paragraphs) if text.startswith("<!-- bench: ")]
    drawn = [i for i in marked if paragraphs[i + 1].startswith("![")]
    assert drawn
    assert all(paragraphs[i - 1].rstrip().endswith(".") for i in drawn)
