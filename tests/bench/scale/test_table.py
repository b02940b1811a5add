"""The table: what it takes at once, how it grows, and what its refusals cost."""

from __future__ import annotations

import math
import re

import pytest

from bench.harness.installed import ROOT
from bench.scale import limits
from bench.scale.table import ALL, ATTEMPTS, FIRST_WAIT, Table, Taken, Writes

ONE = Writes(1.0)


def test_what_is_less_than_the_table_takes_is_taken_at_once() -> None:
    assert Table().take([(1.0, ONE)], lambda _: 3999.0) == ALL


def test_the_writes_that_succeed_are_what_the_table_takes() -> None:
    taken = Table().take([(1.0, ONE)], lambda _: 10_000.0)
    assert 10_000 * taken.succeeds(ONE) == pytest.approx(4000, rel=1e-3)


def test_one_id_takes_a_thousand_writes_a_second_and_the_others_are_as_before() -> None:
    taken = Table().take([(0.5, ONE), (0.5, Writes(0.0, 1.0))], lambda _: 4000.0)
    assert taken.spread == 1
    assert 2000 * taken.succeeds(Writes(0.0, 1.0)) == pytest.approx(1000, rel=1e-3)


def test_no_id_gets_more_than_the_table_has() -> None:
    taken = Table(warm=500).take([(1.0, Writes(0.0, 1.0))], lambda _: 2000.0)
    assert 2000 * taken.succeeds(Writes(0.0, 1.0)) == pytest.approx(500, rel=1e-2)


def test_a_batch_succeeds_only_if_each_of_its_records_does() -> None:
    taken = Taken(0.5, 0.5)
    assert taken.succeeds(Writes(100.0)) == pytest.approx((1 - 0.5**5) ** 100)
    assert taken.written(Writes(100.0)).spread == pytest.approx(100 * (1 - 0.5**5))


def test_waits_double_and_half_of_them_is_waited() -> None:
    assert Taken(0.0, 0.0).waits(ONE, request=0.0) == pytest.approx((1 + 2 + 4 + 8) / 2)
    assert ALL.waits(ONE, request=0.004) == 0


def test_a_table_takes_twice_its_peak_half_an_hour_later() -> None:
    table = Table()
    for now in range(0, 3600, 60):
        table.note(float(now), 4000.0)
        assert table.warm == (4000 if now < 1800 else 8000)


def test_a_table_that_little_is_written_to_stays_as_it_is() -> None:
    table = Table()
    for now in range(0, 7200, 60):
        table.note(float(now), 100.0)
    assert table.warm == limits.WARM_WRITES.value


def test_a_table_never_takes_more_than_its_quota() -> None:
    table = Table(warm=30_000)
    for now in range(0, 7200, 60):
        table.note(float(now), 30_000.0)
    assert table.warm == 40_000


def test_the_client_is_simulated_with_the_attempts_and_waits_that_it_has() -> None:
    client = (ROOT / "functions" / "core" / "aws.py").read_text()
    assert re.search(rf"^ATTEMPTS = {ATTEMPTS}$", client, re.MULTILINE)
    assert re.search(rf"^_?AFTER_THROTTLING = {FIRST_WAIT}$", client, re.MULTILINE)
    assert math.isclose(FIRST_WAIT, 1.0)
