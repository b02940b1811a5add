"""Redriving: each dead letter's event is sent again, and the letter deleted only after Lambda accepted the event.

Each thread receives only as many letters as the rate allows to be sent at once, so that none waits in flight until its
time is up and somebody else sees it. What is not deleted stays in the queue: it is given back at the end, or comes back
by itself after a crash. Letters that come after the beginning are left alone. One that comes of an event that this run
sent is named: the cause is not mended yet.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from itertools import islice

from pipeline.letters.in_flight import InFlight
from pipeline.letters.peek import Peek
from pipeline.letters.plan import Budget, Plan
from pipeline.letters.queue import BATCH, DeadLetterQueue, Depth
from pipeline.letters.selection import Finding, examine
from pipeline.letters.sender import MARGIN, Sender
from pipeline.letters.verdicts import ACCEPTED, LEFT, Handled, RedriveCounts, Verdict
from pipeline.stack import DeadLetter
from pipeline.stack.invoke import Invoker

ROUNDS = 3  # how often the queue is read to its end while it says that there is more
FRUITLESS = 50
"""Times that a thread receives nothing but letters that were left before, after which there is nothing more."""
MOMENT = 2.0  # seconds after a run in which a letter comes back whose event is refused again
LOOKED_AT = 1000  # letters that are looked at then


class Redrive:
    """One run of a plan."""

    def __init__(self, plan: Plan, queue: DeadLetterQueue, invoker: Invoker) -> None:
        self.plan, self.queue, self.invoker = plan, queue, invoker
        self.counts = RedriveCounts()
        self.letters = InFlight(queue, visibility=plan.visibility)
        self.sender = Sender(plan, invoker, self.letters, self.counts)
        self._budget = Budget(plan.most)
        self._newer = 0

    def run(self, depth: Depth) -> RedriveCounts:
        """Redrive the letters that were there when the queue had this depth, and look for those that come back."""
        self._newer = depth.time + 1000  # AWS's answers name their time in whole seconds
        try:
            for _ in range(ROUNDS):
                self._round(depth.readers(self.plan.parallel))
                depth = self.queue.depth()
                if not depth.visible or self._budget.is_used_up or self.invoker.stop.is_set():
                    break
        finally:
            self.letters.give_back()
        if self.counts.count(*ACCEPTED):
            self._look_again()
        return self.counts

    def came_back(self, finding: Finding) -> bool:
        """Settle a letter of an event that this run sent; return whether it is one."""
        if not self.sender.has_sent(finding.attribution.request_ids):
            return False
        why = "it failed again after this run sent it; its cause is not mended"
        self.counts.settle(Handled(finding, Verdict.CAME_BACK, why))
        return True

    def _look_again(self) -> None:
        """Settle letters that came back a moment after their event was sent: a refusal takes no longer."""
        self.invoker.stop.wait(MOMENT)
        depth = self.queue.depth()
        if depth.visible:
            with Peek(self.queue, depth) as letters:
                for letter in islice(letters, LOOKED_AT):
                    self.came_back(examine(letter, self.plan.stack))

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
            letters = [] if stop.is_set() else self.letters.receive(most)
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
        used = 0
        accepted: list[DeadLetter] = []
        with self.letters.working_on(letters) as mine:
            try:
                for letter in mine:
                    before = self.counts.verdicts.get(letter.message_id)
                    if before in ACCEPTED:
                        accepted.append(letter)  # SQS delivers at least once, or its deletion failed
                    elif before not in LEFT and (events := self._judge(letter)):
                        used += 1
                        accepted += [letter] if self.sender.send(*events, until=until) else []
            finally:
                remaining = self.letters.delete(accepted)
                for letter in accepted:
                    if letter not in remaining:
                        self.counts.deleted(letter.message_id)
        return used

    def _judge(self, letter: DeadLetter) -> tuple[Finding, list[bytes]] | None:
        """Return what is known of a letter and what is to be sent for it; settle a letter that is left."""
        if self.invoker.stop.is_set():
            return None
        finding = examine(letter, self.plan.stack)
        if self.came_back(finding):
            return None
        if letter.sent >= self._newer:
            self.counts.settle(Handled(finding, Verdict.NEWER))
        elif isinstance(events := self.plan.events(finding), Handled):
            self.counts.settle(events)
        else:
            return finding, events
        return None
