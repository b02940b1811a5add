"""The simulation: events pass the stages' queues step by step, under the limits of the account and the table.

A million events a second can't be followed one by one. Events that came to a stage in the same step and have met the
same since are one cohort, which is a number, a fraction too: where a tenth of them is refused, a tenth waits. Nothing
is left to chance, so the same input gives the same figures.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.scale import limits
from bench.scale.table import ALL, Table, Taken, Writes

CLASSES = 1.25
"""Latencies within this ratio are counted together, with their mean."""
STEPS = {60.0: 1.0, 600.0: 10.0, 3600.0: 60.0, math.inf: 300.0}
"""Seconds of a step, by the time up to which it is so long."""
MOST_BACKOFFS = 9
"""After which the pause grows no more."""
NEGLIGIBLE = 1e-3
"""Events whose failure is not followed."""
ROUNDING = 1e-9
"""The share by which sums of the same numbers differ."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A function as the simulation sees it; times in seconds.

    Attributes:
        duration: of a warm run that nothing delays.
        cold: what the first run of an instance takes longer.
        retries: of an event that failed.
        reserved: the function's reserved concurrency, if it has any.
        kinds: what each event writes to the table, by kind; the last stage's alone.
        request: of one more request to the table.
        repeated: what a run takes longer that finds its records stored already, since an earlier one failed halfway.
    """

    name: str
    duration: float
    cold: float = 0.0
    retries: int = 2
    reserved: float = math.inf
    kinds: Sequence[Writes] = ()
    request: float = 0.004
    repeated: float = 0.0

    def units(self, writes: Writes, *, again: bool) -> Writes:
        """Return the write units of an event.

        A batch that comes again finds its records: the insert that fails is paid for, and so is the put that tells why.
        """
        times = 3 if again and self.repeated else 1
        return Writes(writes.spread * times, writes.hot * times)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What Lambda allows; by default what AWS documents.

    Attributes:
        concurrency: of the account.
        second: real seconds that a second of Lambda's waits lasts.
        failing, throttled: the shares of the attempts that fail or are refused for no reason of the load's.
    """

    concurrency: float = limits.CONCURRENCY.value
    new_instances: float = limits.SCALING.value
    maximum_age: float = limits.EVENT_AGE.value
    second: float = 1.0
    failing: float = 0.0
    throttled: float = 0.0


class Load(NamedTuple):
    """Events a second for so many seconds, by kind: each a share of all."""

    rate: float
    seconds: float
    kinds: Sequence[float] = (1.0,)


class Cohort(NamedTuple):
    """Events of a stage that are tried at the same time and have met the same."""

    number: float
    arrived: float
    spent: float
    """Seconds between their producer and this stage."""
    backoffs: int = 0
    retries: int = 0
    kind: int = 0


@dataclass
class Queue:
    """A stage's asynchronous queue, and its instances."""

    stage: Stage
    allowance: float
    """New instances that the function may have now."""
    waiting: float = 0.0
    instances: float = 0.0
    expected: float = 0.0
    """Events a second that the stage before handed on in the last step."""
    seconds: float = 0.0
    """Of a run, as it was in the last step."""
    runs: float = 0.0
    busy: float = 0.0
    """Seconds of all runs."""
    _due: dict[float, dict[tuple[int, ...], list[float]]] = field(default_factory=dict)
    """By the time of their next attempt: like cohorts as their number, and the sums of when they came and were sent."""

    def put(self, cohort: Cohort, ready: float, now: float) -> None:
        """Let events wait for an attempt; those of about the same age and the same history are counted together."""
        if cohort.number <= 0:
            return
        age, backoffs = now - cohort.arrived, min(cohort.backoffs, MOST_BACKOFFS)
        key = backoffs, cohort.retries, cohort.kind, _age_class(age), _latency_class(cohort.spent) // 3
        sums = self._due.setdefault(ready, {}).setdefault(key, [0.0, 0.0, 0.0])
        for place, value in enumerate((1.0, cohort.arrived, cohort.spent)):
            sums[place] += cohort.number * value
        self.waiting += cohort.number

    def due(self, now: float) -> float:
        """Return how many events are to be tried now."""
        return sum(sums[0] for ready, like in self._due.items() if ready <= now for sums in like.values())

    def take(self, now: float) -> list[Cohort]:
        """Return the events that are to be tried now."""
        taken = [
            Cohort(number, arrived / number, spent / number, *key[:3])
            for ready in sorted(ready for ready in self._due if ready <= now)
            for key, (number, arrived, spent) in self._due.pop(ready).items()
        ]
        self.waiting = max(0.0, self.waiting - sum(cohort.number for cohort in taken)) if self._due else 0.0
        return taken

    def grow(self, busy: float) -> float:
        """Give the function the instances that it needs; return how many are new."""
        new = max(0.0, busy - self.instances)
        self.instances += new
        self.allowance -= new
        return new


class Moment(NamedTuple):
    """The state at the end of a step."""

    time: float
    arrived: float
    stored: float
    waiting: float
    dead: float
    latency: float
    """Mean seconds from the producer to the table of what was stored in this step."""
    running: Sequence[float]
    """Executions at once, by stage."""
    instances: Sequence[float]
    writes: float
    """Written a second."""
    warm: float


@dataclass
class Outcome:
    """What became of the events."""

    moments: list[Moment] = field(default_factory=list)
    arrived: float = 0.0
    stored: float = 0.0
    dead: dict[str, float] = field(default_factory=dict)
    """Dead letters by their reason."""
    writes: float = 0.0
    """Write units that the table took, those for records that were there already included."""
    saturated: dict[str, float] = field(default_factory=dict)
    """The limits that were reached, and when first."""
    first_dead: float | None = None
    runs: Sequence[float] = ()
    busy: Sequence[float] = ()
    latencies: dict[int, list[float]] = field(default_factory=dict)

    @property
    def waiting(self) -> float:
        """Events in the queues at the end."""
        return self.moments[-1].waiting

    @property
    def lost(self) -> float:
        """Events that are nowhere; AWS documents that there may be some, but not when: see docs/scale.md."""
        return self.arrived - self.stored - sum(self.dead.values()) - self.waiting

    def latency(self, share: float) -> float:
        """Return the seconds, from the producer to the table, that so large a share did not exceed."""
        left = share * sum(number for number, _ in self.latencies.values())
        for _, (number, seconds) in sorted(self.latencies.items()):
            left -= number
            if left <= 1e-6 * number:
                return seconds / number
        return math.nan

    def at(self, time: float) -> Moment:
        """Return the state at a time, or at the end."""
        return next((moment for moment in self.moments if moment.time >= time), self.moments[-1])

    def note_latency(self, number: float, seconds: float) -> None:
        """Count events that were stored after so many seconds."""
        if number > 0:
            known = self.latencies.setdefault(_latency_class(seconds), [0.0, 0.0])
            known[0] += number
            known[1] += number * seconds


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
        self._handed_on: dict[tuple[int, int, int], list[float]] = {}

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
            self._hand_on(now, length)
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
            handed_on = self._handed_on.setdefault((to, kind, _latency_class(spent) // 3), [0.0, 0.0])
            handed_on[0] += number
            handed_on[1] += number * spent

    def _hand_on(self, now: float, length: float) -> None:
        """Give the next stage what a stage made, in the same step."""
        for (place, kind, _), (number, spent) in self._handed_on.items():
            self.queues[place].put(Cohort(number, now, spent / number, kind=kind), now, now)
        for place in {place for place, _, _ in self._handed_on}:
            self.queues[place].expected = (
                sum(n for (to, _, _), (n, _) in self._handed_on.items() if to == place) / length
            )
        self._handed_on.clear()

    def _wait(self, cohort: Cohort, attempt: _Attempt) -> None:
        """Put throttled events back: they are tried again after 1 s, 2 s, 4 s … 5 min, until they are too old."""
        pause = min(limits.FIRST_BACKOFF.value * 2.0**cohort.backoffs, limits.LONGEST_BACKOFF.value)
        # In steps as long as the longest pause all pauses are alike.
        backoffs = MOST_BACKOFFS if attempt.length >= limits.LONGEST_BACKOFF.value else cohort.backoffs + 1
        self._put_back(cohort._replace(backoffs=backoffs), pause, attempt)

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
            steps_ahead = math.ceil(pause * self.platform.second / attempt.length - 1e-9)
            queue.put(cohort, attempt.now + steps_ahead * attempt.length, attempt.now)

    def _end(self, number: float, reason: str, now: float) -> None:
        """Make events dead letters."""
        if number > 0:
            self.outcome.dead[reason] = self.outcome.dead.get(reason, 0.0) + number
            if self.outcome.first_dead is None and sum(self.outcome.dead.values()) >= 1:
                self.outcome.first_dead = now

    def _saturate(self, limit: str, now: float) -> None:
        self.outcome.saturated.setdefault(limit, now)


def _age_class(seconds: float) -> int:
    """Return which ages are counted together: older ones within ten minutes."""
    return int(seconds // 600) if seconds > 1800 else -1 - _latency_class(seconds + 1)


def _latency_class(seconds: float) -> int:
    return round(math.log(max(seconds, 1e-6), CLASSES))
