"""Lambda's asynchronous queue: it takes events, runs them with retries, and has their outcomes sent on."""

import asyncio
import hashlib
import logging
from collections import Counter
from dataclasses import replace
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

from .aws_api import AwsApi, new_trace
from .concurrency import SLOW, Places
from .counts import Counts
from .delivery import Delivery
from .event import Attempt, Event, EventInvokeConfig, Result
from .faults import Fault, Faults
from .lambda_api import LambdaApi
from .retries import Clock, Condition, Retry, after_failure
from .roles import Roles
from .targets import Target

logger = logging.getLogger(__name__)


class QueueOptions(NamedTuple):
    """How a queue runs: its clock, the faults it injects, and how many invocations run at once."""

    clock: Clock = Clock()
    faults: Faults = Faults()
    concurrency: int = 8


class Queue:
    """The queue of one embedded AWS: any number of events, a bounded number of invocations at once."""

    def __init__(self, aws: AwsApi, options: QueueOptions) -> None:
        self.functions = LambdaApi(aws)
        self._delivery = Delivery(aws, self.functions, Roles(aws), self.accept_from)
        self._places = Places(options.concurrency)
        self._begin(options)

    def _begin(self, options: QueueOptions) -> None:
        self.options = options
        self.counts = Counts()
        self._places.clear(options.concurrency)
        self._seen: Counter[str] = Counter()
        self._runs: set[asyncio.Task[None]] = set()

    async def restart(self, options: QueueOptions) -> None:
        """Forget every event and every count, and go on with other options."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        self._begin(options)

    @property
    def stopped(self) -> bool:
        """Whether `stop_after` has ended the deliveries."""
        return self.options.faults.stop_after is not None and self.counts.calls >= self.options.faults.stop_after

    async def accept(self, target: Target, payload: bytes, *, request_id: str, trace: str = "", depth: int = 0) -> None:
        """Take an event from outside."""
        known = await self.functions.known(target)
        digest = hashlib.sha256(payload).hexdigest()
        self._seen[digest] += 1
        lineage = f"{target.name}/{digest}/{self._seen[digest]}"
        self._take(Event(target, payload, request_id, monotonic(), lineage, depth, trace or new_trace(), known))

    async def accept_from(self, origin: Event, target: Target, payload: bytes) -> None:
        """Take the event that the end of another one sent to its destination."""
        lineage = f"{origin.lineage}>{target.name}"
        known = await self.functions.known(target)
        depth, trace = origin.depth + 1, origin.trace
        self._take(Event(target, payload, str(uuid4()), monotonic(), lineage, depth, trace, known))

    def _take(self, event: Event) -> None:
        self.counts.count("AsyncEventsReceived", event.target)
        copies = [event, replace(event, lineage=f"{event.lineage}+")] if self.options.faults.duplicate else [event]
        self.counts.accepted += len(copies)
        for copy in copies:
            if self.options.faults.loses(copy.lineage):
                self.counts.ended += 1
            else:
                self._wait(copy)

    def _wait(self, event: Event) -> None:
        self._places.wait(event)
        self._dispatch()

    def _dispatch(self) -> None:
        while not self.stopped and (event := self._places.take()):
            self.counts.calls += 1
            run = asyncio.create_task(self._run(event))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)
            asyncio.get_running_loop().call_later(SLOW + 0.01, self._dispatch)

    async def _run(self, event: Event) -> None:
        try:
            config = await self.functions.event_invoke_config(event.target)
            decision = await self._attempt(event, config)
            if self.stopped:
                return
            if isinstance(decision, Retry):
                await self._retry(event, decision)
            else:
                await self._delivery.send(event, config, decision, self.counts)
                self.counts.ended += 1
        except Exception as error:
            logger.exception("event %s is lost", event.request_id)
            self.counts.errors.append(f"{type(error).__name__}: {error}")
            self.counts.ended += 1

    async def _attempt(self, event: Event, config: EventInvokeConfig) -> Retry | Condition:
        """Make one attempt, unless the event is too old for it, and decide what follows."""
        try:
            self.counts.age(event.target, age := event.age(monotonic()))
            if age > config.maximum_age:
                return Condition.EVENT_AGE_EXCEEDED
            event.attempts += 1
            event.note(await self._call(event))
        finally:
            self._places.give_back(event)
            self._dispatch()
        assert event.last is not None  # noqa: S101 - it was noted
        self.counts.count(event.last.result.name, event.target)
        return await self._decide(event, event.last, config)

    async def _call(self, event: Event) -> Attempt:
        """Call the function, unless a fault comes instead; return how the attempt ended."""
        fault = self.options.faults.strike(event.lineage, event.attempts)
        called = await self.functions.invoke(event) if fault is None or fault.after else None
        # A failure of the function's own is not replaced by an injected one.
        if called and (fault is None or called.result is not Result.SUCCESS):
            return called
        assert fault is not None  # noqa: S101 - without a fault the function was called
        return injected(fault, await self.functions.version_of(event.target))

    async def _decide(self, event: Event, attempt: Attempt, config: EventInvokeConfig) -> Retry | Condition:
        if attempt.result is Result.SUCCESS:
            return Condition.SUCCESS
        if attempt.result is Result.THROTTLED and await self.functions.is_switched_off(event.target):
            return Condition.ZERO_RESERVED_CONCURRENCY
        age = event.age(monotonic())
        return after_failure(attempt.result, retries=event.retries, backoffs=event.backoffs, age=age, config=config)

    async def _retry(self, event: Event, retry: Retry) -> None:
        pause = self.options.clock.real(retry.delay)
        event.note_wait(retry.delay, pause)
        await asyncio.sleep(pause)
        self._wait(event)


def injected(fault: Fault, version: str | None) -> Attempt:
    """Return the answer that Lambda gives when this happens."""
    if fault.result is Result.FUNCTION_ERROR:
        payload = b'{"errorMessage":"Injected function error","errorType":"InjectedFault"}'
        return Attempt(fault.result, 200, payload, version, "Unhandled", "Injected function error")
    status = 429 if fault.result is Result.THROTTLED else 500
    return Attempt(fault.result, status, version=version, reason=f"Injected {fault.result.value}")
