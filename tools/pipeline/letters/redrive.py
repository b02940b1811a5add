"""Redriving: each dead letter's event is sent again, and the letter deleted only after Lambda accepted the event.

Some threads each receive a few letters, send them, delete what was accepted, and go on. They receive only as many
letters as the rate allows to be sent at once, so that none waits in flight until its time is up and somebody else sees
it. Whatever is not deleted stays in the queue: it is given back at the end, or comes back by itself after a crash.

A run is about the letters that were there when it began. One that comes after that is left alone, and one that comes of
an event that this very run sent is named: the cause is not mended yet.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from threading import Lock
from typing import NamedTuple

from pipeline.letters.history import History
from pipeline.letters.in_flight import InFlight
from pipeline.letters.payload import NotGivenError, payloads
from pipeline.letters.peek import Peek
from pipeline.letters.queue import BATCH, DeadLetterQueue, Depth
from pipeline.letters.selection import Finding, Selection, examine
from pipeline.stack import DeadLetter, Stack
from pipeline.stack.invoke import Fate, Invoker
from pipeline.terminal.printable import counted

ROUNDS = 3
"""How often the queue is read to its end while it says that there is more."""
FRUITLESS = 50
"""Times that a thread receives nothing but letters that were left before, after which there is nothing more."""
MOMENT = 2.0
"""Seconds after a run in which a letter comes back whose event is refused again."""
LOOKED_AT = 1000
"""Letters that are looked at then."""
MARGIN = 0.8
"""The part of a letter's time within which its event may be sent."""


class Verdict(Enum):
    """What is done with a letter, or why it is left."""

    SENT = "sent again"
    NOT_DELETED = "sent again but not deleted"
    REFUSED = "refused by Lambda"
    FAILED = "not sent"
    UNKNOWN = "of no known stage"
    NOT_GIVEN = "not for that stage"
    REPEATED = "redriven too often"
    CAME_BACK = "came back"
    NEWER = "arrived since"
    OTHER = "not selected"


UNFINISHED = (
    Verdict.NOT_DELETED,
    Verdict.REFUSED,
    Verdict.FAILED,
    Verdict.UNKNOWN,
    Verdict.NOT_GIVEN,
    Verdict.REPEATED,
    Verdict.CAME_BACK,
)
"""What was asked for and not brought to its end."""

ACCEPTED = (Verdict.SENT, Verdict.NOT_DELETED)
LEFT = tuple(verdict for verdict in Verdict if verdict not in (*ACCEPTED, Verdict.FAILED))
"""What is not tried again within a run."""


class Result(NamedTuple):
    """What has just become of a letter."""

    finding: Finding
    verdict: Verdict
    reason: str = ""


class Plan(NamedTuple):
    """What to redrive, where to, and how much of it."""

    stack: Stack
    selection: Selection = Selection()
    to: str | None = None
    """None for the stage that failed."""
    most: int | None = None
    """Letters to send at most."""
    redrives: int | None = None
    """Letters whose event was redriven so often before are left."""
    split: bool = False
    """Send the records of a batch one by one."""
    visibility: int = 60
    """Seconds for which a letter in flight is hidden from others."""
    parallel: int = 8

    def target(self, finding: Finding) -> str:
        """Return the stage that a letter's event is sent to."""
        return self.to or finding.stage_name

    def events(self, finding: Finding) -> list[bytes] | Result:
        """Return what is to be sent for a letter, or why it is left."""
        if not self.selection.takes(finding):
            return Result(finding, Verdict.OTHER)
        if finding.attribution.stage is None:
            return Result(finding, Verdict.UNKNOWN, finding.attribution.problem)
        if self.redrives is not None and finding.redriven >= self.redrives:
            return Result(finding, Verdict.REPEATED, f"it was redriven {counted(finding.redriven, 'time', 'times')}")
        try:
            return payloads(finding.letter, finding.attribution, self.target(finding), split=self.split)
        except NotGivenError as error:
            return Result(finding, Verdict.NOT_GIVEN, str(error))


@dataclass
class RedriveCounts:
    """What has become of the letters so far; each letter counts once, by its latest verdict."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    targets: Counter[str] = field(default_factory=Counter)
    redriven_before: int = 0

    def count(self, *verdicts: Verdict) -> int:
        """Return how many letters there are of some verdicts."""
        return sum(verdict in verdicts for verdict in self.verdicts.values())


class Budget:
    """How many letters may still be sent; for any number of threads."""

    def __init__(self, most: int | None) -> None:
        self._left = float("inf") if most is None else most
        self._lock = Lock()

    def take(self, most: int) -> int:
        """Reserve up to `most`; none when nothing is left."""
        with self._lock:
            count = int(min(most, self._left))
            self._left -= count
        return count

    def give_back(self, count: int) -> None:
        """Return what was not used."""
        with self._lock:
            self._left += count


class Redrive:
    """One run of a plan."""

    def __init__(self, plan: Plan, queue: DeadLetterQueue, invoker: Invoker, history: History) -> None:
        self.plan, self.queue, self.invoker, self.history = plan, queue, invoker, history
        self.tell: Callable[[Result], None] = lambda _: None
        self.counts = RedriveCounts()
        self._in_flight = InFlight(queue, visibility=plan.visibility)
        self._budget = Budget(plan.most)
        self._working_on: set[str] = set()
        self._lock = Lock()

    def run(self, depth: Depth) -> RedriveCounts:
        """Redrive the letters that were there when the queue had this depth.

        Raises:
            AwsError: It can't go on; what was not sent stays in the queue.
        """
        self._newer = depth.time + 1000  # AWS's answers name their time in whole seconds
        try:
            for _ in range(ROUNDS):
                self._round(depth.readers(self.plan.parallel))
                depth = self.queue.depth()
                if not depth.visible or self._ended():
                    break
        finally:
            self._in_flight.give_back()
        return self.counts

    def look_again(self) -> None:
        """Settle letters that came back a moment after their event was sent: a refusal takes no longer."""
        if not self.counts.count(*ACCEPTED):
            return
        self.invoker.stop.wait(MOMENT)
        depth = self.queue.depth()
        if depth.visible:
            with Peek(self.queue, depth) as letters:
                for letter in islice(letters, LOOKED_AT):
                    self._came_back(examine(letter, self.plan.stack, self.history))

    def _came_back(self, finding: Finding) -> bool:
        """Settle a letter that comes of an event that this run sent."""
        if not self.history.came_back(finding.attribution.request_ids):
            return False
        self._settle(
            Result(finding, Verdict.CAME_BACK, "it failed again after this run sent it; its cause is not mended")
        )
        return True

    def _ended(self) -> bool:
        left = self._budget.take(1)
        self._budget.give_back(left)
        return not left or self.invoker.stop.is_set()

    def _round(self, threads: int) -> None:
        """Read the queue to its end; an error or an interruption ends all threads before it is raised."""
        with ThreadPoolExecutor(threads) as pool:
            try:
                done, _ = wait([pool.submit(self._work) for _ in range(threads)], return_when=FIRST_EXCEPTION)
                for worker in done:
                    worker.result()
            except BaseException:
                self.invoker.stop.set()
                raise

    def _work(self) -> None:
        """Receive, send and delete until there is nothing more."""
        stop, fruitless = self.invoker.stop, 0
        while not stop.is_set() and (allowed := self._budget.take(BATCH)):
            permits = self.invoker.rate.take(allowed)
            began = time.monotonic()
            most = 1 if self.plan.split else permits  # the records of one letter may take all its time
            letters = [] if stop.is_set() else self.queue.receive(most, visibility=self.plan.visibility)
            fruitless = fruitless + 1 if self._knows(letters) else 0
            used = self._handle(letters, until=began + MARGIN * self.plan.visibility)
            self.invoker.rate.give_back(permits - used)
            self._budget.give_back(allowed - used)
            if not letters or fruitless >= FRUITLESS:
                return

    def _knows(self, letters: Sequence[DeadLetter]) -> bool:
        """Return whether all these letters were left before, and have come into sight again in a long run."""
        return all(self.counts.verdicts.get(letter.message_id) in LEFT for letter in letters)

    def _handle(self, letters: Sequence[DeadLetter], *, until: float) -> int:
        """Send what is to be sent and delete what was accepted; return how many were sent."""
        mine, used = self._take(letters), 0
        accepted: list[DeadLetter] = []
        try:
            for letter in mine:
                before = self.counts.verdicts.get(letter.message_id)
                if before in ACCEPTED:
                    accepted.append(letter)  # SQS delivers at least once, or its deletion failed
                elif before not in LEFT and (events := self._judge(letter)):
                    used += 1
                    accepted += [letter] if self._send(*events, until=until) else []
        finally:
            self._delete(accepted)
            with self._lock:
                self._working_on.difference_update(letter.message_id for letter in mine)
        return used

    def _take(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Keep letters in flight, and return those that no other thread is working on."""
        self._in_flight.add(letters)
        with self._lock:
            mine = [letter for letter in letters if letter.message_id not in self._working_on]
            self._working_on.update(letter.message_id for letter in mine)
        return mine

    def _judge(self, letter: DeadLetter) -> tuple[Finding, list[bytes]] | None:
        """Return what is known of a letter and what is to be sent for it; settle a letter that is left."""
        if self.invoker.stop.is_set():
            return None
        finding = examine(letter, self.plan.stack, self.history)
        if self._came_back(finding):
            return None
        if letter.sent >= self._newer:
            self._settle(Result(finding, Verdict.NEWER))
        elif isinstance(events := self.plan.events(finding), Result):
            self._settle(events)
        else:
            return finding, events
        return None

    def _send(self, finding: Finding, events: Sequence[bytes], *, until: float) -> bool:
        """Send the events of a letter; return whether all were accepted, and the letter may be deleted."""
        target = self.plan.target(finding)
        for number, event in enumerate(events):
            if number:
                self.invoker.rate.take()
                until = self._keep(finding.letter, until)
            outcome = self.invoker.send(self.plan.stack.aliases[target], event, until=until)
            if outcome.fate is Fate.FAILED and self.invoker.stop.is_set():
                return False
            if outcome.fate is not Fate.ACCEPTED:
                verdict = Verdict.REFUSED if outcome.fate is Fate.REFUSED else Verdict.FAILED
                which = f"record {number + 1} of {len(events)}: " if len(events) > 1 else ""
                self._settle(Result(finding, verdict, which + outcome.reason))
                return False
            self.history.add(finding.attribution.request_ids, outcome.request_id)
        with self._lock:
            self.counts.targets[target] += 1
            self.counts.redriven_before += bool(finding.redriven)
        self._settle(Result(finding, Verdict.NOT_DELETED))
        return True

    def _keep(self, letter: DeadLetter, until: float) -> float:
        """Hide a letter for longer when half of the time for its events is over; return their new end."""
        now, time_for_events = time.monotonic(), MARGIN * self.plan.visibility
        if until - now > time_for_events / 2:
            return until
        self.queue.hide(letter, visibility=self.plan.visibility)
        return now + time_for_events

    def _delete(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        remaining = self.queue.delete(letters)
        gone = [letter for letter in letters if letter not in remaining]
        self._in_flight.remove(gone)
        with self._lock:
            self.counts.verdicts.update((letter.message_id, Verdict.SENT) for letter in gone)

    def _settle(self, result: Result) -> None:
        message_id = result.finding.letter.message_id
        with self._lock:
            first = self.counts.verdicts.get(message_id) is not result.verdict
            self.counts.verdicts[message_id] = result.verdict
        if first:
            self.tell(result)
