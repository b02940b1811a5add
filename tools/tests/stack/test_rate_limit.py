"""Time is simulated, so these are exact whatever the machine does."""

import threading

import pytest

from pipeline.stack.rate_limit import RateLimiter

from .samples import Time


@pytest.fixture
def time() -> Time:
    return Time()


def take(limiter: RateLimiter, total: int, *, most: int = 10) -> None:
    while total > 0:
        total -= limiter.take(min(most, total))


@pytest.mark.parametrize("rate", [0.5, 3, 40, 333])
@pytest.mark.parametrize("most", [1, 10])
@pytest.mark.parametrize("work", [0, 0.001])
def test_the_rate_is_held_within_a_tenth(time: Time, rate: float, most: int, work: float) -> None:
    limiter, began, total = RateLimiter(rate, clock=time, wait=time.wait), time.now, 1000
    for _ in range(total // most):
        take(limiter, most, most=most)
        time.now += work
    assert total / (time.now - began) == pytest.approx(rate, rel=0.1)


def test_permits_that_were_not_used_are_not_lost(time: Time) -> None:
    limiter, began = RateLimiter(100, clock=time, wait=time.wait), time.now
    sent = 0
    while sent < 1000:
        permits = limiter.take(10)
        used = permits // 2
        limiter.give_back(permits - used)
        sent += used
    assert 1000 / (time.now - began) == pytest.approx(100, rel=0.1)


def test_a_pause_is_not_made_up_for_by_a_burst(time: Time) -> None:
    limiter = RateLimiter(10, clock=time, wait=time.wait)
    limiter.take()
    time.now += 60
    began = time.now
    take(limiter, 40, most=1)
    assert time.now - began > 2.5


def test_without_a_bound_nothing_waits(time: Time) -> None:
    limiter, began = RateLimiter(clock=time, wait=time.wait), time.now
    assert limiter.take(10) == 10
    assert time.now == began


def test_throttling_halves_the_rate_once_for_all_the_calls_under_way(time: Time) -> None:
    limiter = RateLimiter(100, clock=time, wait=time.wait)
    for _ in range(8):
        limiter.throttled()
    began = time.now
    take(limiter, 11, most=1)
    assert 10 / (time.now - began) == pytest.approx(50, rel=0.15)


def test_throttling_bounds_a_rate_that_had_no_bound(time: Time) -> None:
    limiter = RateLimiter(clock=time, wait=time.wait)
    for _ in range(200):
        limiter.accepted()
        time.now += 0.01
    limiter.throttled()
    began = time.now
    take(limiter, 26, most=1)
    assert 25 / (time.now - began) == pytest.approx(50, rel=0.2)


def test_the_rate_recovers_up_to_its_bound(time: Time) -> None:
    limiter = RateLimiter(100, clock=time, wait=time.wait)
    limiter.throttled()
    time.now += 60
    began = time.now
    take(limiter, 2000, most=1)
    assert 2000 / (time.now - began) == pytest.approx(100, rel=0.1)


def test_however_much_is_throttled_it_never_stops(time: Time) -> None:
    limiter = RateLimiter(100, clock=time, wait=time.wait)
    for _ in range(50):
        limiter.throttled()
        time.now += 1
    began = time.now
    take(limiter, 3, most=1)
    assert time.now - began < 5


def test_threads_share_the_rate(time: Time) -> None:
    waits: list[float] = []
    limiter = RateLimiter(100, clock=time, wait=waits.append)
    threads = [threading.Thread(target=lambda: [limiter.take() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Nobody moved the clock: the last of 100 permits is due in a second.
    assert max(waits) == pytest.approx(1.0, rel=0.1)


def test_many_permits_are_taken_at_once_and_the_next_call_waits_for_their_time(time: Time) -> None:
    limiter, began = RateLimiter(10, clock=time, wait=time.wait), time.now
    limiter.take_all(50)
    assert time.now == began
    limiter.take_all(50)
    assert time.now - began == pytest.approx(5)


@pytest.mark.parametrize("count", [7, 250])
def test_the_rate_is_held_by_calls_of_many_permits(time: Time, count: int) -> None:
    limiter, began = RateLimiter(333, clock=time, wait=time.wait), time.now
    for _ in range(100):
        limiter.take_all(count)
        limiter.accepted(count)
    assert 99 * count / (time.now - began) == pytest.approx(333, rel=0.1)


def test_throttled_calls_of_many_permits_halve_the_rate_of_permits(time: Time) -> None:
    limiter = RateLimiter(clock=time, wait=time.wait)
    for _ in range(20):
        limiter.accepted(50)
        time.now += 0.1
    limiter.throttled()
    began = time.now
    limiter.take_all(250)
    limiter.take_all(250)
    assert 250 / (time.now - began) == pytest.approx(250, rel=0.3)
