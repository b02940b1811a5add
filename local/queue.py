"""Lambda's asynchronous invocation queue: takes events, delivers them with retries, sends their outcomes on."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import NamedTuple

from local.clock import Clock
from local.destinations import DeliveryError, Destinations, UnsupportedTargetError
from local.event import Attempt, Event, Result, Target
from local.faults import Fault, Faults
from local.invocation_record import dead_letter_attributes, invocation_record
from local.lambda_api import InvokeConfig, LambdaApi, VersionConfig
from local.roles import AssumeRoleError, Roles
from local.schedule import Condition, Retry, after_failure

logger = logging.getLogger(__name__)

DEFAULT_CONCURRENCY = 12
"""Invocations at once."""


class Count(NamedTuple):
    """What a counter counts: a metric, in Lambda's own words where Lambda has it, of a function's qualifier."""

    metric: str
    function: str
    resource: str


class Loss(NamedTuple):
    """A record or dead letter that could not be sent."""

    metric: str
    request_id: str
    reason: str


@dataclass
class Tally:
    """What the queue has done so far."""

    counts: Counter[Count] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """The queue's own errors: there should be none."""
    accepted: int = 0
    ended: int = 0
    calls: int = 0

    @property
    def open(self) -> int:
        """Deliveries that have not ended."""
        return self.accepted - self.ended

    def count(self, metric: str, target: Target) -> None:
        """Add one to a metric."""
        resource = f"{target.name}:{target.qualifier}" if target.qualifier else target.name
        self.counts[Count(metric, target.name, resource)] += 1


class Queue:
    """The queue of one embedded AWS; bounded in parallel invocations, not in events."""

    def __init__(
        self,
        functions: LambdaApi,
        roles: Roles,
        *,
        clock: Clock = Clock(),
        faults: Faults = Faults(),
        concurrency: int = DEFAULT_CONCURRENCY,
    ) -> None:
        self.functions = functions
        self.roles = roles
        self.clock = clock
        self.faults = faults
        self.concurrency = concurrency
        self.tally = Tally()
        self._destinations = Destinations(functions.aws, functions, self._accept_from)
        self._ready: asyncio.PriorityQueue[tuple[int, int, Event]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._seen: Counter[str] = Counter()
        self._workers: Sequence[asyncio.Task[None]] = ()

    @property
    def stopped(self) -> bool:
        """Whether the fault "stop in the middle" has struck."""
        return self.faults.stop_after is not None and self.tally.calls >= self.faults.stop_after

    def start(self) -> None:
        """Begin to deliver."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.concurrency)]

    async def stop(self) -> None:
        """Stop delivering; what is still in the queue is lost, as its memory is."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = ()

    async def restart(self, *, clock: Clock, faults: Faults) -> None:
        """Forget every event and every count, and go on with another clock and other faults."""
        await self.stop()
        self.clock, self.faults, self.tally = clock, faults, Tally()
        self._ready = asyncio.PriorityQueue()
        self._seen.clear()
        self.start()

    def accept(self, target: Target, payload: bytes, *, request_id: str, depth: int = 0) -> None:
        """Take an event from outside; it is delivered at least once."""
        digest = hashlib.sha256(payload).hexdigest()
        self._seen[digest] += 1
        lineage = f"{target.name}/{digest}/{self._seen[digest]}"
        self._take(Event(target, payload, request_id, monotonic(), lineage, depth))

    def _accept_from(self, target: Target, payload: bytes, origin: Event, request_id: str) -> None:
        lineage = f"{origin.lineage}>{target.name}"
        self._take(Event(target, payload, request_id, monotonic(), lineage, origin.depth + 1))

    def _take(self, event: Event) -> None:
        self.tally.count("AsyncEventsReceived", event.target)
        copies = [event, replace(event, lineage=f"{event.lineage}+")] if self.faults.duplicate else [event]
        self.tally.accepted += len(copies)
        for copy in copies:
            self._put(copy)

    def _put(self, event: Event) -> None:
        # Events further down the chain first: else the first function would take every place, and each of its places
        # costs an interpreter.
        self._ready.put_nowait((-event.depth, next(self._order), event))

    async def _work(self) -> None:
        while True:
            _, _, event = await self._ready.get()
            if self.stopped:
                continue
            try:
                await self._deliver(event)
            except Exception as error:
                logger.exception("event %s is lost", event.request_id)
                self.tally.faults.append(f"{type(error).__name__}: {error}")
                self.tally.ended += 1

    async def _deliver(self, event: Event) -> None:
        config = await self.functions.invoke_config(event.target)
        if event.age(monotonic()) > config.settings.maximum_age:
            await self._end(event, config, Condition.EVENT_AGE_EXCEEDED)
            return
        attempt = event.last = await self._attempt(event)
        if self.stopped:
            return
        self.tally.count(attempt.result.name, event.target)
        if attempt.result is Result.SUCCESS:
            await self._end(event, config, Condition.SUCCESS)
            return
        decision = await self._after_failure(event, attempt, config)
        if isinstance(decision, Retry):
            self._retry(event, attempt, decision)
        else:
            await self._end(event, config, decision)

    async def _after_failure(self, event: Event, attempt: Attempt, config: InvokeConfig) -> Retry | Condition:
        if attempt.result is Result.THROTTLED and await self.functions.is_switched_off(event.target):
            return Condition.ZERO_RESERVED_CONCURRENCY
        return after_failure(
            attempt.result,
            retries=event.retries,
            backoffs=event.backoffs,
            age=event.age(monotonic()),
            settings=config.settings,
        )

    def _retry(self, event: Event, attempt: Attempt, retry: Retry) -> None:
        if attempt.result is Result.FUNCTION_ERROR:
            event.retries += 1
        else:
            event.backoffs += 1
        pause = self.clock.real(retry.delay)
        event.waited += retry.delay
        event.waited_real += pause
        asyncio.get_running_loop().call_later(pause, self._put, event)

    async def _attempt(self, event: Event) -> Attempt:
        self.tally.calls += 1
        event.attempts += 1
        fault = self.faults.strike(event.lineage, event.attempts)
        if fault is None or fault.after:
            attempt = await self.functions.invoke(event)
            # A function that failed by itself did so without our help.
            if fault is None or attempt.result is not Result.SUCCESS:
                return attempt
        return _injected(fault, await self.functions.version_of(event.target))

    async def _end(self, event: Event, config: InvokeConfig, condition: Condition) -> None:
        """Send the outcome on; the event's delivery is over, whatever becomes of that."""
        version = await self.functions.version_config(event.target, event.last.version if event.last else None)
        succeeded = condition is Condition.SUCCESS
        if not succeeded:
            self.tally.count("AsyncEventsDropped", event.target)
            await self._send_dead_letter(event, version)
        destination = config.on_success if succeeded else config.on_failure
        if destination:
            await self._send_record(event, condition, destination, version)
        self.tally.ended += 1

    async def _send_dead_letter(self, event: Event, version: VersionConfig | None) -> None:
        if version is None or version.dead_letter_target is None:
            return
        attributes = dead_letter_attributes(event)
        await self._send("DeadLetterErrors", event, version, version.dead_letter_target, event.payload, attributes)

    async def _send_record(
        self, event: Event, condition: Condition, destination: str, version: VersionConfig | None
    ) -> None:
        record = invocation_record(event, condition)
        await self._send("DestinationDeliveryFailures", event, version, destination, record)

    async def _send(  # noqa: PLR0913, PLR0917 - one delivery has these parts
        self,
        metric: str,
        event: Event,
        version: VersionConfig | None,
        arn: str,
        body: bytes,
        attributes: dict[str, tuple[str, str]] | None = None,
    ) -> None:
        """Send a document as the execution role; what can't be sent is lost, and counted under `metric`."""
        try:
            if version is None:
                raise DeliveryError(f"{event.target.arn} is gone, and its role with it")
            credentials = await self.roles.credentials(
                version.role, region=event.target.region, session=event.target.name
            )
            await self._destinations.send(arn, body, event=event, credentials=credentials, attributes=attributes)
        except (DeliveryError, AssumeRoleError) as error:
            self.tally.count(metric, event.target)
            self.tally.losses.append(Loss(metric, event.request_id, str(error)))
            if isinstance(error, UnsupportedTargetError):
                self.tally.unsupported.append(str(error))
            logger.warning("%s of request %s: %s", metric, event.request_id, error)


def _injected(fault: Fault, version: str | None) -> Attempt:
    """Make the answer that Lambda would have given had this fault been real."""
    if fault.result is Result.FUNCTION_ERROR:
        payload = b'{"errorMessage":"Injected function error","errorType":"InjectedFault"}'
        return Attempt(fault.result, 200, payload, version, "Unhandled", "Injected function error")
    status = 429 if fault.result is Result.THROTTLED else 500
    return Attempt(fault.result, status, version=version, reason=f"Injected {fault.result.value}")
