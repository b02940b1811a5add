"""Pictures: a bar as long as its figure, parts that add up, nothing of what was not measured, light and dark."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from bench.results.figures import Plot, Row, Table
from bench.results.plots import COLOURS, draw
from tests.bench.results.samples import row, table

SVG = "{http://www.w3.org/2000/svg}"
PLOT = Plot(("time (ms)",), "ms")


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}{tag}"))


def widths(svg: str) -> list[float]:
    return [float(bar.attrib["width"]) for bar in elements(svg, "rect")]


def texts(svg: str) -> list[str | None]:
    return [text.text for text in elements(svg, "text")]


def test_bars_are_as_long_as_their_figures() -> None:
    short, long = widths(draw(table(row("peer", 100), row("ours", 400)), PLOT))
    assert long == pytest.approx(4 * short, abs=0.3)


def test_a_bar_has_its_name_and_its_figure() -> None:
    assert texts(draw(table(row("peer", 123.4)), PLOT)) == ["A test, ms", "peer", "123"]


def test_parts_follow_one_another_and_the_sum_is_said() -> None:
    parts: dict[str, Any] = {"compute": 1.0, "log": 3.0}
    costs = Table(name="cost", title="Cost", peer="ours", rows=[Row(name="ours", samples=[parts])])
    svg = draw(costs, Plot(tuple(parts), "USD"))
    bars = elements(svg, "rect")[len(parts) :]  # the first are the legend's
    assert float(bars[1].attrib["x"]) == pytest.approx(float(bars[0].attrib["x"]) + float(bars[0].attrib["width"]))
    assert texts(svg)[-1] == "4"
    assert {"compute", "log"} <= set(texts(svg))


def test_the_row_of_interest_has_a_colour_and_the_others_are_grey() -> None:
    peer, ours = elements(draw(table(row("peer", 1), row("ours", 1)), Plot(PLOT.metrics, "ms", ours=("ours",))), "rect")
    assert ours.attrib["fill"] == COLOURS[0]
    assert peer.attrib["class"] == "other"


def test_what_was_not_measured_is_not_drawn() -> None:
    svg = draw(table(row("peer", 1), Row(name="other", missing="no Docker")), PLOT)
    assert len(widths(svg)) == 1
    assert "other" not in texts(svg)


def test_names_are_text_whatever_they_hold() -> None:
    assert "a < b & c" in texts(draw(table(row("a < b & c", 1)), PLOT))


def test_a_reader_in_the_dark_gets_light_text() -> None:
    assert "prefers-color-scheme: dark" in draw(table(row("peer", 1)), PLOT)
