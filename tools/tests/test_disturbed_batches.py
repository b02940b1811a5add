"""Batches whose calls fail, come twice and are throttled: each record is stored once or can be redriven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.local.asynchronous import Clock, Faults, QueueOptions
from tests.deployed import DeployedStack

from .conftest import Ran
from .stack.samples import record

BAD = 20
"""Of so many records one is bad."""


def sent(count: int) -> list[dict[str, Any]]:
    """Return records of which some have no data."""
    return [record(number) if number % BAD else {"id": f"bad-{number}", "timestamp": 1} for number in range(count)]


def test_every_record_is_stored_once_or_is_a_letter_that_can_be_redriven(
    stack: DeployedStack, embedded: DeployedStack, operate: Callable[..., Ran], records: Callable[..., Path]
) -> None:
    faults = Faults(1, duplicate=True, fail_rate=0.1, throttle_rate=0.02)
    stack.reset(QueueOptions(Clock(0.01), faults))
    lines = sent(60)
    assert operate("submit", records(*lines), "--batch", 12).code == 0
    assert not stack.drain()["losses"]
    before = stored(stack)

    stack.aws.restart_queue(QueueOptions(Clock(0.01)))
    letters = int(operate("dead-letters", "--count").out)
    assert letters >= len(lines) / BAD
    assert operate("redrive", "--yes").counts["sent again"] == letters
    stack.drain()
    after = stored(stack)
    assert before <= after == Counter(one["id"] for one in lines if "data" in one)
    assert {failure.letter.error for failure in stack.failures()} == {"Invalid data: missing data field"}


def stored(stack: DeployedStack) -> Counter[str]:
    """How often each record is stored."""
    return Counter(item.id for item in stack.items())
