"""Lambda's asynchronous invocation queue: takes events, runs them with retries, has their outcomes sent on."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from dataclasses import replace
from time import monotonic
from typing import NamedTuple

from local.clock import Clock
from local.event import Attempt, Event, Result, Target
from local.faults import Fault, Faults
from local.lambda_api import InvokeConfig, LambdaApi
from local.outcome import Outcomes
from local.places import Place, Places
from local.schedule import Condition, Retry, after_failure
from local.tally import Tally

logger = logging.getLogger(__name__)


class Pace(NamedTuple):
    """How a queue runs: its clock, the faults it injects, and how many invocations run at once."""

    clock: Clock = Clock()
    faults: Faults = Faults()
    concurrency: int = 8


class Queue:
    """The queue of one embedded AWS; bounded in parallel invocations, not in events."""

    def __init__(self, functions: LambdaApi, outcomes: Outcomes, pace: Pace) -> None:
        self.functions = functions
        self.outcomes = outcomes
        self._places = Places(pace.concurrency)
        self._begin(pace)

    def _begin(self, pace: Pace) -> None:
        self.pace = pace
        self.tally = Tally()
        self._places.clear(pace.concurrency)
        self._seen: Counter[str] = Counter()
        self._runs: set[asyncio.Task[None]] = set()

    async def restart(self, pace: Pace) -> None:
        """Forget every event and every count, and go on at another pace."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        self._begin(pace)

    @property
    def stopped(self) -> bool:
        """Whether the fault "stop in the middle" has struck."""
        return self.pace.faults.stop_after is not None and self.tally.calls >= self.pace.faults.stop_after

    def accept(self, target: Target, payload: bytes, *, request_id: str, depth: int = 0) -> None:
        """Take an event from outside; it is delivered at least once."""
        digest = hashlib.sha256(payload).hexdigest()
        self._seen[digest] += 1
        lineage = f"{target.name}/{digest}/{self._seen[digest]}"
        self._take(Event(target, payload, request_id, monotonic(), lineage, depth))

    def accept_from(self, origin: Event, target: Target, payload: bytes, request_id: str) -> None:
        """Take the event that the end of another one sent to its destination."""
        lineage = f"{origin.lineage}>{target.name}"
        self._take(Event(target, payload, request_id, monotonic(), lineage, origin.depth + 1))

    def _take(self, event: Event) -> None:
        self.tally.count("AsyncEventsReceived", event.target)
        copies = [event, replace(event, lineage=f"{event.lineage}+")] if self.pace.faults.duplicate else [event]
        self.tally.accepted += len(copies)
        for copy in copies:
            self._places.wait(copy)
        self._dispatch()

    def _dispatch(self) -> None:
        """Start what may run now."""
        while not self.stopped and (place := self._places.take()):
            self.tally.calls += 1
            run = asyncio.create_task(self._run(place))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)

    async def _run(self, place: Place) -> None:
        event = place.event
        try:
            config = await self.functions.invoke_config(event.target)
            decision = await self._attempt(place, config)
            if self.stopped:
                return
            if isinstance(decision, Retry):
                await self._retry(event, decision)
            else:
                await self.outcomes.send(event, config, decision, self.tally)
                self.tally.ended += 1
        except Exception as error:
            logger.exception("event %s is lost", event.request_id)
            self.tally.errors.append(f"{type(error).__name__}: {error}")
            self.tally.ended += 1

    async def _attempt(self, place: Place, config: InvokeConfig) -> Retry | Condition:
        """Make one attempt, unless the event is too old for it, and decide what follows."""
        event, called = place.event, None
        started = monotonic()
        try:
            if event.age(started) > config.settings.maximum_age:
                return Condition.EVENT_AGE_EXCEEDED
            event.attempts += 1
            fault = self.pace.faults.strike(event.lineage, event.attempts)
            if fault is None or fault.after:
                called = await self.functions.invoke(event)
            event.last = await self._outcome(event, called, fault)
        finally:
            lives = called.result is Result.SUCCESS if called and called.ran else None
            self._places.give_back(place, seconds=monotonic() - started, interpreter_lives=lives)
            self._dispatch()
        self.tally.count(event.last.result.name, event.target)
        return await self._decide(event, event.last, config)

    async def _outcome(self, event: Event, called: Attempt | None, fault: Fault | None) -> Attempt:
        """Return how the attempt ended: as the call did, or as the fault has it."""
        # A function that failed by itself did so without our help.
        if called and (fault is None or called.result is not Result.SUCCESS):
            return called
        assert fault is not None  # noqa: S101 - without a fault the function was called
        return injected(fault, await self.functions.version_of(event.target))

    async def _decide(self, event: Event, attempt: Attempt, config: InvokeConfig) -> Retry | Condition:
        if attempt.result is Result.SUCCESS:
            return Condition.SUCCESS
        if attempt.result is Result.THROTTLED and await self.functions.is_switched_off(event.target):
            return Condition.ZERO_RESERVED_CONCURRENCY
        age = event.age(monotonic())
        return after_failure(
            attempt.result, retries=event.retries, backoffs=event.backoffs, age=age, settings=config.settings
        )

    async def _retry(self, event: Event, retry: Retry) -> None:
        """Let the event wait until its next attempt."""
        pause = self.pace.clock.real(retry.delay)
        event.note_wait(retry.delay, pause)
        await asyncio.sleep(pause)
        self._places.wait(event)
        self._dispatch()


def injected(fault: Fault, version: str | None) -> Attempt:
    """Make the answer that Lambda would have given had this fault been real."""
    if fault.result is Result.FUNCTION_ERROR:
        payload = b'{"errorMessage":"Injected function error","errorType":"InjectedFault"}'
        return Attempt(fault.result, 200, payload, version, "Unhandled", "Injected function error")
    status = 429 if fault.result is Result.THROTTLED else 500
    return Attempt(fault.result, status, version=version, reason=f"Injected {fault.result.value}")
