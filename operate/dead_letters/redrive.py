"""Redriving: each dead letter's event is sent again, and the letter deleted only after Lambda accepted the event.

Some threads each receive a few letters, send them, delete what was accepted, and go on. They receive only as many
letters as the rate allows to be sent at once, so that none waits in hand until its time is up and somebody else sees
it. Whatever is not deleted stays in the queue: it is given back at the end, or comes back by itself after a crash.

A run is about the letters that were there when it began. One that comes after that is left alone, and one that comes of
an event that this very run sent is named: the cause is not mended yet.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import NamedTuple

from operate.dead_letters.history import History
from operate.dead_letters.in_flight import Held
from operate.dead_letters.letter import Letter
from operate.dead_letters.payload import payload
from operate.dead_letters.peek import readers
from operate.dead_letters.queue import BATCH, DeadLetterQueue, Depth
from operate.dead_letters.selection import Finding, Selection, examine
from operate.invoke import Fate, Invoker
from operate.stack import Stack

ROUNDS = 3
"""How often the queue is read to its end while it says that there is more."""
FRUITLESS = 50
"""Times that a thread receives nothing but letters that were left before, after which there is nothing more."""
MARGIN = 0.8
"""The part of a letter's time within which its event may be sent."""


class Verdict(Enum):
    """What is done with a letter, or why it is left."""

    SENT = "sent again"
    NOT_DELETED = "sent again but not deleted"
    REFUSED = "refused by Lambda"
    FAILED = "not sent"
    UNKNOWN = "of no known stage"
    REPEATED = "redriven too often"
    CAME_BACK = "came back"
    NEWER = "arrived since"
    OTHER = "not selected"


UNFINISHED = (
    Verdict.NOT_DELETED,
    Verdict.REFUSED,
    Verdict.FAILED,
    Verdict.UNKNOWN,
    Verdict.REPEATED,
    Verdict.CAME_BACK,
)
"""What was asked for and not brought to its end."""

ACCEPTED = (Verdict.SENT, Verdict.NOT_DELETED)
LEFT = tuple(verdict for verdict in Verdict if verdict not in (*ACCEPTED, Verdict.FAILED))
"""What is not tried again within a run."""


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
    visibility: int = 60
    """Seconds for which a letter in hand is hidden from others."""
    parallel: int = 8

    def target(self, finding: Finding) -> str:
        """Return the stage that a letter's event is sent to."""
        stage = self.to or finding.stage
        assert stage is not None  # noqa: S101 - only letters of a known stage are sent
        return stage

    def judge(self, finding: Finding) -> Verdict | None:
        """Return why a letter is left; None if it is to be sent."""
        if not self.selection.takes(finding):
            return Verdict.OTHER
        if finding.stage is None:
            return Verdict.UNKNOWN
        if self.redrives is not None and finding.redriven >= self.redrives:
            return Verdict.REPEATED
        return None


class Event(NamedTuple):
    """What has just become of a letter."""

    finding: Finding
    verdict: Verdict
    reason: str = ""


@dataclass
class Tally:
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

    def __init__(
        self,
        plan: Plan,
        queue: DeadLetterQueue,
        invoker: Invoker,
        history: History,
    ) -> None:
        self.plan, self.queue, self.invoker, self.history = plan, queue, invoker, history
        self.tell: Callable[[Event], None] = lambda _: None
        self.tally = Tally()
        self._held = Held(queue, visibility=plan.visibility)
        self._budget = Budget(plan.most)
        self._in_hand: set[str] = set()
        self._lock = Lock()

    def run(self, depth: Depth) -> Tally:
        """Redrive the letters that were there when the queue had this depth.

        Raises:
            AwsError: It can't go on; what was not sent stays in the queue.
        """
        self._newer = depth.time + 1000  # AWS's answers name their time in whole seconds
        try:
            for _ in range(ROUNDS):
                self._round(readers(depth, self.plan.parallel))
                depth = self.queue.depth()
                if not depth.visible or self._ended():
                    break
        finally:
            self._held.give_back()
        return self.tally

    def _ended(self) -> bool:
        left = self._budget.take(1)
        self._budget.give_back(left)
        return not left or self.invoker.stop.is_set()

    def _round(self, threads: int) -> None:
        """Read the queue to its end; an error or an interruption ends all threads before it is raised."""
        with ThreadPoolExecutor(threads) as pool:
            try:
                self._join([pool.submit(self._work) for _ in range(threads)])
            except BaseException:
                self.invoker.stop.set()
                raise

    def _join(self, workers: Sequence[Future[None]]) -> None:
        done, _ = wait(workers, return_when=FIRST_EXCEPTION)
        for worker in done:
            worker.result()

    def _work(self) -> None:
        """Receive, send and delete until there is nothing more."""
        stop, fruitless = self.invoker.stop, 0
        while not stop.is_set() and (allowed := self._budget.take(BATCH)):
            permits = self.invoker.pace.take(allowed)
            began = time.monotonic()
            letters = [] if stop.is_set() else self.queue.receive(permits, visibility=self.plan.visibility)
            fruitless = fruitless + 1 if self._knows(letters) else 0
            used = self._handle(letters, until=began + MARGIN * self.plan.visibility)
            self.invoker.pace.give_back(permits - used)
            self._budget.give_back(allowed - used)
            if not letters or fruitless >= FRUITLESS:
                return

    def _knows(self, letters: Sequence[Letter]) -> bool:
        """Return whether all these letters were left before, and have come into sight again in a long run."""
        return all(self.tally.verdicts.get(letter.message_id) in LEFT for letter in letters)

    def _handle(self, letters: Sequence[Letter], *, until: float) -> int:
        """Send what is to be sent and delete what was accepted; return how many were sent."""
        mine, used = self._take_in_hand(letters), 0
        accepted: list[Letter] = []
        try:
            for letter in mine:
                before = self.tally.verdicts.get(letter.message_id)
                if before in ACCEPTED:
                    accepted.append(letter)  # SQS delivers at least once, or its deletion failed
                elif before not in LEFT and (finding := self._to_send(letter)):
                    used += 1
                    accepted += [letter] if self._send(finding, until=until) else []
        finally:
            self._delete(accepted)
            self._let_go(mine)
        return used

    def _take_in_hand(self, letters: Sequence[Letter]) -> list[Letter]:
        """Hold letters, and return those that no other thread is working on."""
        self._held.keep(letters)
        with self._lock:
            mine = [letter for letter in letters if letter.message_id not in self._in_hand]
            self._in_hand.update(letter.message_id for letter in mine)
        return mine

    def _let_go(self, letters: Sequence[Letter]) -> None:
        with self._lock:
            self._in_hand.difference_update(letter.message_id for letter in letters)

    def _to_send(self, letter: Letter) -> Finding | None:
        """Return what is known of a letter that is to be sent; settle any other one."""
        if self.invoker.stop.is_set():
            return None
        finding = examine(letter, self.plan.stack, self.history)
        if self.history.came_back(letter):
            self._settle(finding, Verdict.CAME_BACK, "it failed again within this run; its cause is not mended")
        elif letter.sent >= self._newer:
            self._settle(finding, Verdict.NEWER)
        elif verdict := self.plan.judge(finding):
            self._settle(finding, verdict, finding.problem)
        else:
            return finding
        return None

    def _send(self, finding: Finding, *, until: float) -> bool:
        target = self.plan.target(finding)
        event = payload(finding.letter, target)
        outcome = self.invoker.send(self.plan.stack.aliases[target], event, until=until)
        if outcome.fate is Fate.FAILED and self.invoker.stop.is_set():
            return False
        if outcome.fate is not Fate.ACCEPTED:
            verdict = Verdict.REFUSED if outcome.fate is Fate.REFUSED else Verdict.FAILED
            self._settle(finding, verdict, outcome.reason)
            return False
        self.history.add(finding.letter, outcome.request_id)
        with self._lock:
            self.tally.targets[target] += 1
            self.tally.redriven_before += bool(finding.redriven)
        self._settle(finding, Verdict.NOT_DELETED)
        return True

    def _delete(self, letters: Sequence[Letter]) -> None:
        if not letters:
            return
        remaining = self.queue.delete(letters)
        if remaining:
            remaining = self.queue.delete(remaining)
        gone = [letter for letter in letters if letter not in remaining]
        self._held.drop(gone)
        with self._lock:
            self.tally.verdicts.update((letter.message_id, Verdict.SENT) for letter in gone)

    def _settle(self, finding: Finding, verdict: Verdict, reason: str = "") -> None:
        message_id = finding.letter.message_id
        with self._lock:
            first = self.tally.verdicts.get(message_id) is not verdict
            self.tally.verdicts[message_id] = verdict
        if first:
            self.tell(Event(finding, verdict, reason))
