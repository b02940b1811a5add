"""The simulation: events pass the stages' queues step by step, under the limits of the account and the table.

A million events a second can't be followed one by one. Events that came to a stage in the same step and have met the
same since are one cohort, which is a number, a fraction too: where a tenth of them is refused, a tenth waits. Nothing
is left to chance, so the same input gives the same figures.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.scale import limits
from bench.scale.outcome import Moment, Outcome, latency_class
from bench.scale.queues import MOST_BACKOFFS, Cohort, Queue, Stage
from bench.scale.table import ALL, Table, Taken

STEPS = {60.0: 1.0, 600.0: 10.0, 3600.0: 60.0, math.inf: 300.0}
"""Seconds of a step, by the time up to which it is so long."""
SPREAD = 4
PARTS = range(1, SPREAD + 1)
"""Of a cohort that waits, each of which waits a little longer than the one before."""
NEGLIGIBLE = 1e-3
"""Events whose failure is not followed."""
ROUNDING = 1e-9
"""The share by which sums of the same numbers differ."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What Lambda allows; by default what AWS documents.

    Attributes:
        concurrency: of the account.
        second: real seconds that a second of Lambda's waits lasts.
        refuses: whether an event that finds no place is refused and backs off, as Lambda does; else it waits for one.
        failing, throttled: the shares of the attempts that fail or are refused for no reason of the load's.
    """

    concurrency: float = limits.CONCURRENCY.value
    new_instances: float = limits.SCALING.value
    maximum_age: float = limits.EVENT_AGE.value
    second: float = 1.0
    refuses: bool = True
    failing: float = 0.0
    throttled: float = 0.0


class Load(NamedTuple):
    """Events a second for so many seconds, by kind: each a share of all."""

    rate: float
    seconds: float
    kinds: Sequence[float] = (1.0,)


def steps(until: float) -> Iterator[tuple[float, float]]:
    """Cut a time into steps, short ones first: when each begins, and how long it is."""
    now = 0.0
    while now < until:
        length = min(next(length for end, length in STEPS.items() if now < end), until - now)
        yield now, length
        now += length


class _Attempt(NamedTuple):
    """What the events of a stage meet in a step."""

    place: int
    now: float
    length: float
    """Seconds of the step."""
    share: float
    """Of the events, that are run."""
    cold: float
    """The share of these that a new instance runs."""
    taken: Taken


class Simulation:
    """One run of the deployed stack."""

    def __init__(self, stages: Sequence[Stage], load: Load, *, platform: Platform, table: Table) -> None:
        self.load, self.platform, self.table = load, platform, table
        self.queues = [Queue(stage, platform.new_instances, seconds=stage.duration) for stage in stages]
        self.outcome = Outcome()
        self._handed_on: dict[tuple[int, int], list[float]] = {}

    def run(self, cut: Iterable[tuple[float, float]], *, until_empty: bool = False) -> Outcome:
        """Simulate the steps; `until_empty` ends with the last event rather than with the last step."""
        for now, length in cut:
            self._arrive(now, length)
            self._step(now, length)
            if until_empty and now >= self.load.seconds and self.outcome.waiting < 0.5:
                break
        self.outcome.runs = [queue.runs for queue in self.queues]
        self.outcome.busy = [queue.busy for queue in self.queues]
        return self.outcome

    def _arrive(self, now: float, length: float) -> None:
        events = self.load.rate * max(0.0, min(now + length, self.load.seconds) - now)
        self.outcome.arrived += events
        for kind, share in enumerate(self.load.kinds):
            self.queues[0].put(Cohort(events * share, now, spent=0.0, kind=kind), now, now)

    def _step(self, now: float, length: float) -> None:
        before, written, seconds = self.outcome.stored, self.outcome.writes, 0.0
        running = []
        granted, spare = self._grants(now, length)
        for place, queue in enumerate(self.queues):
            most = min(self._own_limit(queue), granted[place] + spare)
            busy, spent = self._run(place, most, now, length)
            if queue.stage.reserved == math.inf:
                spare += granted[place] - busy
            running.append(busy)
            seconds += spent
            self._hand_on(place + 1, now, length)
        writes = (self.outcome.writes - written) / length
        self.table.note(now, writes)
        newly = self.outcome.stored - before
        self.outcome.moments.append(
            Moment(
                time=now + length,
                arrived=self.outcome.arrived,
                stored=self.outcome.stored,
                waiting=sum(queue.waiting for queue in self.queues),
                dead=sum(self.outcome.dead.values()),
                latency=seconds / newly if newly else math.nan,
                running=running,
                instances=[queue.instances for queue in self.queues],
                writes=writes,
                warm=self.table.warm,
            )
        )

    def _grants(self, now: float, length: float) -> tuple[list[float], float]:
        """Return the executions at once that each function is granted, and those that nobody has asked for.

        A function has its reserved ones for itself. For the others every attempt has the same chance, so that each
        function gets its part of what is asked for. What runs turn out to need beyond that, they take of the spare.
        """
        wanted, pool = [], self.platform.concurrency
        for queue in self.queues:
            self._refill(queue, length)
            own = self._own_limit(queue)
            needed = (queue.due(now) / length + queue.expected) * queue.seconds
            if needed > own * (1 + ROUNDING):
                reason = "reserved concurrency" if own == queue.stage.reserved else "new instances"
                self._saturate(f"{reason} of the {queue.stage.name}", now)
            pool -= queue.stage.reserved if queue.stage.reserved < math.inf else 0.0
            wanted.append(min(needed, own))
        free = [queue.stage.reserved == math.inf for queue in self.queues]
        shared = sum(number for number, is_free in zip(wanted, free, strict=True) if is_free)
        if shared > pool * (1 + ROUNDING):
            self._saturate("the account's concurrency", now)
        part = min(1.0, pool / shared) if shared else 1.0
        granted = [
            number * part if queue.stage.reserved == math.inf else queue.stage.reserved
            for number, queue in zip(wanted, self.queues, strict=True)
        ]
        return granted, max(0.0, pool - shared)

    def _refill(self, queue: Queue, length: float) -> None:
        if self.outcome.moments:
            refill = self.platform.new_instances / limits.SCALING_PERIOD.value * length
            queue.allowance = min(max(self.platform.new_instances, refill), queue.allowance + refill)

    @staticmethod
    def _own_limit(queue: Queue) -> float:
        return min(queue.stage.reserved, queue.instances + queue.allowance)

    def _run(self, place: int, allowed: float, now: float, length: float) -> tuple[float, float]:
        """Run what may run of a stage's events; return the executions at once, and the seconds of what was stored."""
        queue = self.queues[place]
        cohorts = queue.take(now)
        events = sum(cohort.number for cohort in cohorts) * (1 - self.platform.throttled)
        if not events:
            return 0.0, 0.0
        taken = self._taken(queue, cohorts, events / length, allowed, now) if queue.stage.kinds else ALL
        run = min(events, allowed * length / queue.seconds)
        busy = run * queue.seconds / length
        new = queue.grow(busy)
        queue.runs += run
        queue.busy += run * queue.seconds + new * queue.stage.cold
        attempt = _Attempt(
            place, now, length, run / events * (1 - self.platform.throttled), min(1.0, new / run) if run else 0.0, taken
        )
        return busy, sum(self._try(cohort, attempt) for cohort in cohorts)

    def _taken(self, queue: Queue, cohorts: Sequence[Cohort], rate: float, allowed: float, now: float) -> Taken:
        """Find what the table takes of the writes, and with it how long a run is now."""
        stage, mix = queue.stage, defaultdict[tuple[int, bool], float](float)
        for cohort in cohorts:
            mix[cohort.kind, cohort.retries > 0] += cohort.number
        total = sum(mix.values())
        shares = [(number / total, stage.kinds[kind], again) for (kind, again), number in mix.items()]

        def seconds(taken: Taken) -> float:
            longer = (s * (taken.waits(w, stage.request) + again * stage.repeated) for s, w, again in shares)
            return stage.duration + sum(longer)

        kinds = [(share, stage.units(writes, again=again)) for share, writes, again in shares]
        taken = self.table.take(kinds, lambda share: min(rate, allowed / seconds(share)))
        if taken.hot < taken.spread:
            self._saturate("the writes of one id", now)
        if taken.spread < 1:
            full = self.table.warm >= self.table.quota
            self._saturate("the table's quota" if full else "the table's warm throughput", now)
        queue.seconds = seconds(taken)
        return taken

    def _try(self, cohort: Cohort, attempt: _Attempt) -> float:
        """Run a part of a cohort, and let the rest wait; return the seconds that what is stored took, all together."""
        queue, run = self.queues[attempt.place], cohort.number * attempt.share
        if attempt.share < 1:
            self._wait(cohort._replace(number=cohort.number - run), attempt)
        succeeds = 1.0
        if queue.stage.kinds:
            writes = queue.stage.kinds[cohort.kind]
            succeeds = attempt.taken.succeeds(writes)
            written = attempt.taken.written(queue.stage.units(writes, again=cohort.retries > 0))
            self.outcome.writes += run * sum(written)
        good = run * succeeds * (1 - self.platform.failing)
        good = run if run - good < NEGLIGIBLE else good
        if good < run:
            self._retry(cohort._replace(number=run - good), attempt)
        spent = cohort.spent + attempt.now - cohort.arrived + queue.seconds
        if attempt.cold:
            self._succeed(good * attempt.cold, spent + queue.stage.cold, cohort.kind, attempt.place + 1)
        self._succeed(good * (1 - attempt.cold), spent, cohort.kind, attempt.place + 1)
        return good * (spent + attempt.cold * queue.stage.cold) if attempt.place + 1 == len(self.queues) else 0.0

    def _succeed(self, number: float, spent: float, kind: int, to: int) -> None:
        """Store events, or keep them for the next stage."""
        if to == len(self.queues):
            self.outcome.stored += number
            self.outcome.note_latency(number, spent)
        elif number > 0:
            handed_on = self._handed_on.setdefault((kind, latency_class(spent) // 3), [0.0, 0.0])
            handed_on[0] += number
            handed_on[1] += number * spent

    def _hand_on(self, place: int, now: float, length: float) -> None:
        """Give a stage what the one before made, in the same step."""
        if place < len(self.queues):
            queue = self.queues[place]
            for (kind, _), (number, spent) in self._handed_on.items():
                queue.put(Cohort(number, now, spent / number, kind=kind), now, now)
            queue.expected = sum(number for number, _ in self._handed_on.values()) / length
            self._handed_on.clear()

    def _wait(self, cohort: Cohort, attempt: _Attempt) -> None:
        """Put throttled events back: they are tried again after 1 s, 2 s, 4 s … 5 min, until they are too old.

        AWS doesn't say how these waits spread. In step, all that came in a minute would find the places of the next
        minutes empty, and the queue would take longer than it needs; so they spread over the second half of the wait.
        """
        if not self.platform.refuses:
            self._put_back(cohort, 0.0, attempt)
            return
        longest = min(limits.FIRST_BACKOFF.value * 2.0**cohort.backoffs, limits.LONGEST_BACKOFF.value)
        # In steps as long as the longest pause all pauses are alike.
        backoffs = MOST_BACKOFFS if attempt.length >= limits.LONGEST_BACKOFF.value else cohort.backoffs + 1
        pauses = [longest] if longest <= attempt.length else [longest * (1 + part / SPREAD) / 2 for part in PARTS]
        again = cohort._replace(backoffs=backoffs, number=cohort.number / len(pauses))
        for pause in pauses:
            self._put_back(again, pause, attempt)

    def _retry(self, cohort: Cohort, attempt: _Attempt) -> None:
        """Put failed events back: after one minute, after two, or never."""
        stage = self.queues[attempt.place].stage
        if cohort.retries >= stage.retries:
            self._end(cohort.number, f"retries of the {stage.name}", attempt.now)
        else:
            pause = limits.RETRY.value * (cohort.retries + 1)
            self._put_back(cohort._replace(retries=cohort.retries + 1), pause, attempt)

    def _put_back(self, cohort: Cohort, pause: float, attempt: _Attempt) -> None:
        queue = self.queues[attempt.place]
        if attempt.now - cohort.arrived + pause > self.platform.maximum_age:
            self._end(cohort.number, f"age at the {queue.stage.name}", attempt.now)
        else:
            steps_ahead = max(1, math.ceil(pause * self.platform.second / attempt.length - ROUNDING))
            queue.put(cohort, attempt.now + steps_ahead * attempt.length, attempt.now)

    def _end(self, number: float, reason: str, now: float) -> None:
        """Make events dead letters."""
        if number > 0:
            self.outcome.dead[reason] = self.outcome.dead.get(reason, 0.0) + number
            if self.outcome.first_dead is None and sum(self.outcome.dead.values()) >= 1:
                self.outcome.first_dead = now

    def _saturate(self, limit: str, now: float) -> None:
        self.outcome.saturated.setdefault(limit, now)
