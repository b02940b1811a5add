"""When Lambda tries again: pure decisions, each at its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.asynchronous import Result
from pipeline.local.asynchronous.retries import (
    MAXIMUM_BACKOFF,
    Clock,
    Condition,
    EventInvokeConfig,
    Retry,
    after_failure,
    backoff,
)

FAILURES = st.sampled_from([Result.FUNCTION_ERROR, Result.THROTTLED, Result.SYSTEM_ERROR, Result.REJECTED])
CONFIGS = st.builds(EventInvokeConfig, st.integers(0, 2), st.integers(60, 21600))


@given(FAILURES, st.tuples(st.integers(0, 5), st.integers(0, 1000)), st.floats(0, 30000), CONFIGS)
def test_no_retry_begins_beyond_the_maximum_age(
    result: Result, counts: tuple[int, int], age: float, config: EventInvokeConfig
) -> None:
    retries, backoffs = counts
    decision = after_failure(result, retries=retries, backoffs=backoffs, age=age, config=config)
    if isinstance(decision, Retry):
        assert age + decision.delay <= config.maximum_age


@pytest.mark.parametrize(("age", "decision"), [(240, Retry(60)), (240.1, Condition.EVENT_AGE_EXCEEDED)])
def test_a_retry_may_begin_at_the_maximum_age(age: float, decision: object) -> None:
    config = EventInvokeConfig(maximum_age=300)
    assert after_failure(Result.FUNCTION_ERROR, retries=0, backoffs=9, age=age, config=config) == decision


@given(st.integers(0, 10_000))
def test_the_backoff_never_shrinks_nor_exceeds_five_minutes(earlier: int) -> None:
    assert 1 <= backoff(earlier) <= backoff(earlier + 1) <= MAXIMUM_BACKOFF == 300


@pytest.mark.parametrize("result", [Result.THROTTLED, Result.SYSTEM_ERROR])
def test_no_number_of_throttles_or_system_errors_exhausts_the_retries(result: Result) -> None:
    decision = after_failure(result, retries=2, backoffs=500, age=0, config=EventInvokeConfig())
    assert decision == Retry(300)


def test_what_can_not_pass_is_not_retried() -> None:
    decision = after_failure(Result.REJECTED, retries=0, backoffs=0, age=0, config=EventInvokeConfig())
    assert decision is Condition.RETRIES_EXHAUSTED


@pytest.mark.parametrize(("minute", "seconds", "real"), [(60, 90, 90), (0.1, 120, 0.2), (0, 300, 0)])
def test_a_wait_lasts_its_share_of_a_minute(minute: float, seconds: float, real: float) -> None:
    assert Clock(minute).real(seconds) == pytest.approx(real)
