"""Batches: each stage is given what the one before made of its event, and pays its part of an event's price."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bench import prices
from bench.benches import batches
from bench.benches.costs import Metered
from bench.harness.configured import stages
from bench.harness.lambdas import MeasuredFunction
from bench.harness.setup import Setup

PRICES = prices.load()
KB = 1024


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(rounds=1, workspace=tmp_path, console=Console(quiet=True), advance=lambda _: None)


def functions(event: object = None) -> dict[str, MeasuredFunction]:
    """Make a function for each stage, all given the same event."""
    return {
        name: MeasuredFunction(name=name, command=(), folder=Path(), event=event, memory=1, timeout=1)
        for name in stages()
    }


@contextmanager
def echoing(function: MeasuredFunction, _: Path) -> Iterator[Any]:
    """Stand in for a started function that answers with its name."""
    answer = json.dumps([function.name]).encode()
    yield SimpleNamespace(invoke=lambda _: 0.0, api=SimpleNamespace(answer=answer))


def test_each_stage_is_given_the_answer_of_the_one_before(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> None:
    monkeypatch.setattr(batches, "started", echoing)
    given: Any = {name: function.event for name, function in batches.chained(functions(), 25, setup).items()}
    first, second, *_ = given
    assert len(given[first]) == 25
    assert given[second]["requestPayload"] == given[first]
    assert given[second]["responsePayload"] == [first]


def test_a_single_record_comes_without_an_array(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> None:
    monkeypatch.setattr(batches, "started", echoing)
    given = batches.chained(functions(), 1, setup)
    assert isinstance(given[next(iter(given))].event, dict)


def cost(monkeypatch: pytest.MonkeyPatch, setup: Setup, records: int, event: object = None) -> dict[str, float]:
    monkeypatch.setattr(batches, "metered", lambda *_, **__: Metered(duration=1000, logged=500))
    return dict(batches.cost(functions(event), setup=setup, size=records))


def test_a_record_pays_its_part_of_an_event(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> None:
    one, hundred = (cost(monkeypatch, setup, records) for records in (1, 100))
    for part in ("requests", "compute", "log", "traces"):
        assert hundred[part] == pytest.approx(one[part] / 100)
    assert hundred["table"] == one["table"] == prices.writes(PRICES)


def test_the_total_is_the_sum_of_the_parts(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> None:
    sample = cost(monkeypatch, setup, 10)
    assert sample["total"] == pytest.approx(sum(sample[part] for part in batches.PARTS))
    assert sample["all traced"] - sample["total"] == pytest.approx(sample["traces"] * 19)  # 5 % are, 95 % are not


def test_an_event_over_256_kb_pays_for_two_requests(monkeypatch: pytest.MonkeyPatch, setup: Setup) -> None:
    small, large = (cost(monkeypatch, setup, 1, "x" * size * KB)["requests"] for size in (200, 300))
    assert large == 2 * small
