"""The picture of a run: an SVG of what was printed, which needs nothing but itself."""

from __future__ import annotations

import html
import io
import re
from xml.etree import ElementTree as ET

import pytest

from pipeline.commands.shared.picture import WIDTH, picture, recording_console
from tests.deployed import ROOT

COMMITTED = ROOT / "docs" / "run.svg"


def drawn(*lines: str) -> str:
    console = recording_console()
    console.file = io.StringIO()
    for line in lines:
        console.print(line)
    return picture(console, "a run")


def text_of(svg: str) -> str:
    """Return the words of a picture, its spaces as such."""
    return html.unescape(re.sub(r"<[^>]+>", "\n", svg)).replace("\xa0", " ")


@pytest.fixture(params=["drawn", "committed"])
def svg(request: pytest.FixtureRequest) -> str:
    return drawn("[green]stored[/green] once") if request.param == "drawn" else COMMITTED.read_text("utf-8")


def test_a_picture_is_well_formed_and_fetches_nothing(svg: str) -> None:
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"@import|@font-face|url\((?!#)|href=", svg) == []


def test_a_picture_shows_what_was_printed_in_its_colours() -> None:
    svg = drawn("[green]stored[/green] once", "x" * WIDTH)
    assert "stored" in text_of(svg)
    assert "x" * WIDTH in text_of(svg)
    assert drawn("stored once") != svg
