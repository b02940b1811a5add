"""The simulation: events pass the stages' queues step by step, under the limits of the account and the table.

Events that came to a stage in the same step and have met the same since are one cohort, which is a number, also a
fraction: if a tenth of them is refused, a tenth waits. Nothing is random.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.scale import aws
from bench.scale.aws import Table, waits, written

STEPS = {60.0: 1.0, 600.0: 10.0, 3600.0: 60.0, math.inf: 300.0}  # seconds of a step, by the time until which it holds
SPREAD = (1.25, 1.5, 1.75, 2.0)  # halves of a wait that its parts last: AWS doesn't say how waits spread
LATENCY_CLASS = 1.25  # latencies within this ratio are counted together, with their mean
MOST_BACKOFFS = 9  # after so many the wait grows no more
NEGLIGIBLE = 1e-3  # events whose failure is not followed
ROUNDING = 1e-9  # the share by which sums of the same numbers differ


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A function as the simulation sees it; times in seconds."""

    name: str
    duration: float  # of a warm run that nothing delays
    cold: float = 0.0  # what the first run of an instance takes longer
    retries: int = 2  # of an event that failed
    reserved: float = math.inf  # concurrency
    records: float = 0.0  # that an event writes to the table
    request: float = 0.004  # one more request to the table
    repeated: float = 0.0  # what a batch takes longer if an earlier run stored a part of it

    def units(self, *, again: bool) -> float:
        """Return the write units of an event: a batch's repeated insert fails, and is paid for, as is the put then."""
        return self.records * (3 if again and self.repeated else 1)


class Cohort(NamedTuple):
    """Events of a stage that are tried at the same time: how many, when they came, the seconds since their producer."""

    number: float
    arrived: float
    spent: float
    backoffs: int = 0
    retries: int = 0


@dataclass
class Outcome:
    """What became of the events; `saturated` has the limits that were reached, and when first."""

    arrived: float = 0.0
    stored: float = 0.0
    waiting: float = 0.0
    writes: float = 0.0
    dead: dict[str, float] = field(default_factory=dict)
    saturated: dict[str, float] = field(default_factory=dict)
    latencies: dict[int, list[float]] = field(default_factory=dict)

    def latency(self, share: float) -> float:
        """Return the seconds, from the producer to the table, that so large a share did not exceed."""
        left = share * sum(number for number, _ in self.latencies.values())
        for _, (number, seconds) in sorted(self.latencies.items()):
            left -= number
            if left <= 1e-6 * number:
                return seconds / number
        return math.nan


@dataclass
class Queue:
    """A stage's asynchronous queue, and its instances; `allowance` are those that the function may have more now."""

    stage: Stage
    seconds: float
    allowance: float = aws.NEW_INSTANCES
    instances: float = 0.0
    expected: float = 0.0
    running: float = 0.0
    runs: float = 0.0
    busy: float = 0.0
    due: dict[float, dict[tuple[int, ...], list[float]]] = field(default_factory=dict)

    def put(self, cohort: Cohort, ready: float, now: float) -> None:
        """Let events wait for an attempt; those of about the same age and the same history are counted together."""
        if cohort.number > 0:
            age = now - cohort.arrived
            old = int(age // 600) if age > 1800 else -1 - latency_class(age + 1)
            key = min(cohort.backoffs, MOST_BACKOFFS), cohort.retries, old, latency_class(cohort.spent) // 3
            sums = self.due.setdefault(ready, {}).setdefault(key, [0.0, 0.0, 0.0])
            for place, value in enumerate((1.0, cohort.arrived, cohort.spent)):
                sums[place] += cohort.number * value

    def ready(self, now: float) -> list[Cohort]:
        """Return the events that are to be tried now."""
        return [
            Cohort(number, arrived / number, spent / number, *key[:2])
            for ready in sorted(self.due)
            if ready <= now
            for key, (number, arrived, spent) in self.due[ready].items()
        ]

    def limit(self) -> float:
        """Return how many executions at once the function may have by itself."""
        return min(self.stage.reserved, self.instances + self.allowance)


def latency_class(seconds: float) -> int:
    """Return which latencies are counted together."""
    return round(math.log(max(seconds, 1e-6), LATENCY_CLASS))


def steps(until: float) -> Iterator[tuple[float, float]]:
    """Cut a time into steps, short ones first: when each begins, and how long it is."""
    now = 0.0
    while now < until:
        length = min(next(length for end, length in STEPS.items() if now < end), until - now)
        yield now, length
        now += length


class Simulation:
    """One run of the deployed stack: `rate` events a second for so many seconds."""

    def __init__(self, stages: Sequence[Stage], table: Table, *, rate: float, seconds: float, places: float) -> None:
        self.table, self.rate, self.seconds, self.places = table, rate, seconds, places
        self.queues = [Queue(stage, stage.duration) for stage in stages]
        self.outcome = Outcome()
        self.now = self.length = 0.0

    def run(self, until: float) -> Outcome:
        """Simulate so many seconds."""
        for self.now, self.length in steps(until):
            events = self.rate * max(0.0, min(self.now + self.length, self.seconds) - self.now)
            self.outcome.arrived += events
            self.queues[0].put(Cohort(events, self.now, spent=0.0), self.now, self.now)
            self.step()
        self.outcome.waiting = sum(cohort.number for queue in self.queues for cohort in queue.ready(math.inf))
        return self.outcome

    def step(self) -> None:
        """Let the stages run what they may, one after the other."""
        before = self.outcome.writes
        granted, spare = self._grants()
        for place, queue in enumerate(self.queues):
            self._run(place, min(queue.limit(), granted[place] + spare))
            spare += granted[place] - queue.running if queue.stage.reserved == math.inf else 0.0
        self.table.note(self.now, (self.outcome.writes - before) / self.length)

    def _grants(self) -> tuple[list[float], float]:
        """Return the executions at once that each function is granted, and those that nobody has asked for.

        A function has its reserved ones for itself. For the others every attempt has the same chance.
        """
        wanted = [self._wanted(queue) for queue in self.queues]
        reserved = [queue.stage.reserved for queue in self.queues]
        pool = self.places - sum(number for number in reserved if number < math.inf)
        shared = sum(number for number, own in zip(wanted, reserved, strict=True) if own == math.inf)
        if shared > pool * (1 + ROUNDING):
            self.outcome.saturated.setdefault("the account's concurrency", self.now)
        part = min(1.0, pool / shared) if shared else 1.0
        granted = [number * part if own == math.inf else own for number, own in zip(wanted, reserved, strict=True)]
        return granted, max(0.0, pool - shared)

    def _wanted(self, queue: Queue) -> float:
        """Return the executions at once that a function's events need, up to what it may have by itself."""
        if self.now:
            refill = aws.NEW_INSTANCES / aws.SCALING_PERIOD * self.length
            queue.allowance = min(max(aws.NEW_INSTANCES, refill), queue.allowance + refill)
        events = sum(cohort.number for cohort in queue.ready(self.now))
        needed, own = (events / self.length + queue.expected) * queue.seconds, queue.limit()
        if needed > own * (1 + ROUNDING):
            reason = "reserved concurrency" if own == queue.stage.reserved else "new instances"
            self.outcome.saturated.setdefault(f"{reason} of the {queue.stage.name}", self.now)
        return min(needed, own)

    def _run(self, place: int, allowed: float) -> None:
        """Run what may run of a stage's events, and hand on what ends well."""
        queue = self.queues[place]
        cohorts = queue.ready(self.now)
        queue.due = {ready: like for ready, like in queue.due.items() if ready > self.now}
        events = sum(cohort.number for cohort in cohorts)
        taken = self._taken(queue, cohorts, events / self.length, allowed) if events and queue.stage.records else 1.0
        run = min(events, allowed * self.length / queue.seconds)
        queue.running = run * queue.seconds / self.length
        new = max(0.0, queue.running - queue.instances)
        queue.instances, queue.allowance = queue.instances + new, queue.allowance - new
        queue.runs, queue.busy = queue.runs + run, queue.busy + run * queue.seconds + new * queue.stage.cold
        cold = min(1.0, new / run) if run else 0.0
        done = [end for cohort in cohorts for end in self._try(queue, cohort, run / events, cold, taken)]
        self._hand_on(place + 1, done)

    def _taken(self, queue: Queue, cohorts: Sequence[Cohort], rate: float, allowed: float) -> float:
        """Find the share of the writes that the table takes, and with it how long a run is now."""
        stage = queue.stage
        again = sum(cohort.number for cohort in cohorts if cohort.retries) / (rate * self.length)
        units = again * stage.units(again=True) + (1 - again) * stage.units(again=False)

        def seconds(share: float) -> float:
            return stage.duration + waits(share, stage.records, stage.request) + again * stage.repeated

        taken = self.table.share(lambda share: min(rate, allowed / seconds(share)) * units * written(share))
        if taken < 1:
            limit = "quota" if self.table.warm >= self.table.quota else "warm throughput"
            self.outcome.saturated.setdefault(f"the table's {limit}", self.now)
        queue.seconds = seconds(taken)
        return taken

    def _try(self, queue: Queue, cohort: Cohort, share: float, cold: float, taken: float) -> Iterator[Cohort]:
        """Run a share of a cohort, and let the rest wait; give what ends well, with the seconds since its producer."""
        run, stage = cohort.number * share, queue.stage
        if share < 1:
            self._wait(queue, cohort._replace(number=cohort.number - run))
        self.outcome.writes += run * stage.units(again=cohort.retries > 0) * written(taken)
        good = run * math.pow(written(taken), stage.records)
        good = run if run - good < NEGLIGIBLE else good
        if good < run:
            self._retry(queue, cohort._replace(number=run - good))
        spent = cohort.spent + self.now - cohort.arrived + queue.seconds
        yield from (Cohort(good * cold, self.now, spent + stage.cold), Cohort(good * (1 - cold), self.now, spent))

    def _hand_on(self, place: int, done: Sequence[Cohort]) -> None:
        """Store events, or give them to the next stage in the same step."""
        for cohort in done:
            if place < len(self.queues):
                self.queues[place].put(cohort, self.now, self.now)
            elif cohort.number > 0:
                self.outcome.stored += cohort.number
                known = self.outcome.latencies.setdefault(latency_class(cohort.spent), [0.0, 0.0])
                known[:] = known[0] + cohort.number, known[1] + cohort.number * cohort.spent
        if place < len(self.queues):
            self.queues[place].expected = sum(cohort.number for cohort in done) / self.length

    def _wait(self, queue: Queue, cohort: Cohort) -> None:
        """Put throttled events back: they are tried again after 1 s, 2 s, 4 s … 5 min, until they are too old."""
        longest = min(aws.FIRST_BACKOFF * 2.0**cohort.backoffs, aws.LONGEST_BACKOFF)
        backoffs = cohort.backoffs + 1 if self.length < aws.LONGEST_BACKOFF else MOST_BACKOFFS  # where all are alike
        pauses = [longest] if longest <= self.length else [longest * part / 2 for part in SPREAD]
        for pause in pauses:
            self._put_back(queue, cohort._replace(number=cohort.number / len(pauses), backoffs=backoffs), pause)

    def _retry(self, queue: Queue, cohort: Cohort) -> None:
        """Put failed events back: after one minute, after two, or never."""
        again = cohort._replace(retries=cohort.retries + 1)
        if again.retries > queue.stage.retries:
            self._end(cohort, f"retries of the {queue.stage.name}")
        else:
            self._put_back(queue, again, aws.RETRY * again.retries)

    def _put_back(self, queue: Queue, cohort: Cohort, pause: float) -> None:
        if self.now - cohort.arrived + pause > aws.EVENT_AGE:
            self._end(cohort, f"age at the {queue.stage.name}")
        else:
            ahead = max(1, math.ceil(pause / self.length - ROUNDING)) * self.length
            queue.put(cohort, self.now + ahead, self.now)

    def _end(self, cohort: Cohort, reason: str) -> None:
        self.outcome.dead[reason] = self.outcome.dead.get(reason, 0.0) + cohort.number
