"""Prices: dated, in one file, and billed as AWS bills."""

from __future__ import annotations

from datetime import date

import pytest

from bench import prices


def test_the_prices_have_a_date_and_a_region() -> None:
    current = prices.load()
    assert date.fromisoformat(current.date)
    assert current.region == "us-east-1"


def test_a_duration_is_billed_by_whole_milliseconds() -> None:
    current = prices.load()
    assert prices.compute(current, memory=512, duration=1.01) == prices.compute(current, memory=512, duration=2)


def test_a_million_runs_of_512_mb_and_10_ms_cost_7_cents_on_arm() -> None:
    assert prices.compute(prices.load(), memory=512, duration=10) == pytest.approx(0.0667, abs=0.0001)


@pytest.mark.parametrize(("kilobytes", "requests"), [(0, 1), (256, 1), (257, 2), (320, 2), (321, 3)])
def test_a_large_event_is_billed_as_several_requests(kilobytes: int, requests: int) -> None:
    current = prices.load()
    assert prices.requests(current, size=kilobytes * 1024) == pytest.approx(requests * prices.requests(current))


def test_a_gigabyte_of_log_has_its_price() -> None:
    assert prices.logs(prices.load(), size=1000) == pytest.approx(0.5)


def test_a_million_writes_to_a_table_in_full_use_cost_18_cents() -> None:
    assert prices.provisioned_writes(prices.load()) == pytest.approx(0.18, abs=0.01)
