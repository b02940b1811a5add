"""The limits: each has its page and its day, and they agree with each other and with the model."""

from __future__ import annotations

from datetime import date

from bench.scale import limits
from model import function


def test_each_limit_has_its_page_and_its_day() -> None:
    assert len(limits.ALL) > 10
    for limit in limits.ALL.values():
        assert limit.page.startswith("https://docs.aws.amazon.com/")
        assert date(2026, 1, 1) < limit.read
        assert limit.value > 0
        assert limit.unit
        assert limit.says


def test_events_are_tried_for_as_long_as_the_model_says() -> None:
    assert limits.EVENT_AGE.value == function.MAXIMUM_EVENT_AGE
