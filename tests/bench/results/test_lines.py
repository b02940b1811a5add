"""Pictures of lines: higher for more, names apart, nothing of what was not measured, light and dark."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.results.figures import Plot, Row, Table
from bench.results.lines import draw

SVG = "{http://www.w3.org/2000/svg}"
PLOT = Plot(["1 h", "2 h"], "records", lines=True)


def drawn(*rows: Row) -> ElementTree.Element:
    return ElementTree.fromstring(draw(Table(name="test", title="A test", rows=rows), PLOT))


def line(name: str, first: float, second: float) -> Row:
    return Row(name=name, samples=[{"1 h": first, "2 h": second}])


def heights(picture: ElementTree.Element) -> list[list[float]]:
    lines = [element.attrib["points"] for element in picture.iter(f"{SVG}polyline")]
    return [[float(point.split(",")[1]) for point in points.split()] for points in lines]


def texts(picture: ElementTree.Element) -> dict[str, float]:
    return {element.text or "": float(element.attrib["y"]) for element in picture.iter(f"{SVG}text")}


def test_ten_times_as_much_is_as_much_higher_everywhere() -> None:
    [[one, ten], [hundred, thousand]] = heights(drawn(line("a", 1, 10), line("b", 100, 1000)))
    assert one - ten == pytest.approx(hundred - thousand, abs=0.2)
    assert one > ten > hundred > thousand


def test_nothing_is_drawn_at_the_foot() -> None:
    [[nothing, least]] = heights(drawn(line("a", 0, 10)))
    assert nothing > least


def test_names_of_lines_that_end_at_the_same_height_are_apart() -> None:
    names = texts(drawn(line("a", 1, 10), line("b", 100, 10)))
    assert abs(names["a"] - names["b"]) >= 15


def test_names_do_not_cover_the_title() -> None:
    names = texts(drawn(*(line(name, 1, 10) for name in "abcdef")))
    assert min(names[name] for name in "abcdef") > names["A test, records"] + 15


def test_the_scale_is_named_by_powers_of_ten() -> None:
    assert {"0", "1", "10", "1k", "1M", "1 h", "2 h"} <= texts(drawn(line("a", 1, 1_000_000))).keys()


def test_what_was_not_measured_is_not_drawn() -> None:
    picture = drawn(line("a", 1, 10), Row(name="b", missing="no Docker"), Row(name="c", samples=[{"2 h": 3.0}]))
    assert [len(points) for points in heights(picture)] == [2, 1]
    assert "b" not in texts(picture)


def test_a_reader_in_the_dark_gets_light_text_and_dark_lines() -> None:
    style = draw(Table(name="test", title="A test", rows=[line("a", 1, 10)]), PLOT)
    assert ".grid { stroke: #30363d }" in style[style.index("prefers-color-scheme: dark") :]
