"""Which lines are an event together."""

from __future__ import annotations

import json

import pytest

from pipeline.local.lines import Line
from pipeline.local.packing import MOST, pack


def lines(*contents: object) -> list[Line]:
    encoded = [content if isinstance(content, bytes) else json.dumps(content).encode() for content in contents]
    return [Line(number, content) for number, content in enumerate(encoded, 1)]


def numbers(packed: list[Line], most: int) -> list[list[int]]:
    return [[line.number for line in event] for event in pack(packed, most)]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, [[1], [2], [3], [4], [5]]), (2, [[1, 2], [3, 4], [5]]), (5, [[1, 2, 3, 4, 5]]), (9, [[1, 2, 3, 4, 5]])],
)
def test_so_many_lines_are_an_event_in_order(most: int, expected: list[list[int]]) -> None:
    assert numbers(lines(*({"id": "a"} for _ in range(5))), most) == expected


@pytest.mark.parametrize("odd", [b"not json", b"\xff", b"NaN", b"[1]", b"[" * 100_000], ids=range(5))
def test_what_lambda_refuses_and_what_is_a_batch_already_goes_alone(odd: bytes) -> None:
    assert numbers(lines({}, 1, odd, "x", None), 10) == [[1, 2], [3], [4, 5]]


def test_a_line_too_long_to_be_kept_goes_alone() -> None:
    first, second = lines({}, {})
    assert numbers([first, second._replace(problem="too long")], 10) == [[1], [2]]


@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_a_batch_stays_so_small_that_every_stage_can_hand_it_on(letter: str) -> None:
    packed = lines(*(letter * 20_000 for _ in range(40)))
    events = list(pack(packed, 1000))
    assert max(len(json.dumps([json.loads(line.content) for line in event])) for event in events) <= MOST
    assert [line for event in events for line in event] == packed
    assert len(events) > 1


def test_a_line_larger_than_a_batch_goes_alone() -> None:
    assert numbers(lines({}, "x" * MOST, {}), 10) == [[1], [2], [3]]
