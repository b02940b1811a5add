"""The documentation's figures: tables and pictures from the JSON, in their places; no picture without a table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.results import __main__ as command
from bench.results.__main__ import DOCUMENT, SCALE, main
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


@pytest.mark.parametrize("document", [DOCUMENT, SCALE])
def test_the_documentation_shows_every_picture_and_each_exists(document: Path) -> None:
    shown = re.findall(rf"!\[.+\]\(({document.stem}/\S+\.svg)\)", document.read_text())
    assert shown
    folder = document.parent
    assert sorted(shown) == sorted(str(path.relative_to(folder)) for path in (folder / document.stem).glob("*.svg"))


@pytest.mark.parametrize("document", [DOCUMENT, SCALE])
def test_a_sentence_before_each_picture_says_what_to_see(document: Path) -> None:
    paragraphs = re.split(r"\n{2,}", re.sub(r"\*\*.*?\*\*", "", document.read_text()))
    marked = [i for i, text in enumerate(paragraphs) if text.startswith("<!-- bench: ")]
    drawn = [i for i in marked if paragraphs[i + 1].startswith("![")]
    assert drawn
    assert all(paragraphs[i - 1].rstrip().endswith(".") for i in drawn)


@pytest.mark.parametrize(("name", "document"), [("cost", "DOCUMENT"), ("scale-cost", "SCALE")])
def test_what_is_simulated_goes_into_a_document_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, document: str
) -> None:
    file, figures = tmp_path / "text.md", tmp_path / "figures.json"
    file.write_text(PLACE.replace("bench: test", f"bench: {name}"))
    figures.write_text(json.dumps({"benches": [replace(table(row("peer", 2.0)), name=name).as_json()]}))
    monkeypatch.setattr(command, document, file)
    assert CliRunner().invoke(main, [str(figures)]).exit_code == 0
    assert "| peer | 2 (1.00) |" in file.read_text()
