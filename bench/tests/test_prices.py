"""Prices: dated, in one file, and billed as AWS bills."""

from __future__ import annotations

from datetime import date

import pytest

from bench import prices

PRICES = prices.load()


def runs(duration: float = 10, size: float = 0) -> dict[str, float]:
    return prices.runs(PRICES, 512, duration, 1000, size=size)


def test_the_prices_have_a_date_and_a_region() -> None:
    assert date.fromisoformat(PRICES.date)
    assert PRICES.region == "us-east-1"


def test_a_duration_is_billed_by_whole_milliseconds() -> None:
    assert runs(duration=1.01) == runs(duration=2)


def test_a_million_runs_of_512_mb_and_10_ms_cost_7_cents_on_arm() -> None:
    assert runs()["compute"] == pytest.approx(0.0667, abs=0.0001)


@pytest.mark.parametrize(("kilobytes", "requests"), [(0, 1), (256, 1), (257, 2), (320, 2), (321, 3)])
def test_a_large_event_is_billed_as_several_requests(kilobytes: int, requests: int) -> None:
    assert runs(size=kilobytes * 1024)["requests"] == pytest.approx(requests * 0.20)


def test_a_gigabyte_of_log_has_its_price() -> None:
    assert runs()["log"] == pytest.approx(0.5)
