"""Submitting: each line of the input is sent to the pipeline's entry, and none is forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from pipeline.errors import CommandError
from pipeline.records.journal import Journal
from pipeline.records.lines import Line
from pipeline.records.packing import Batch, Packing
from pipeline.signals import undisturbed
from pipeline.stack.invoke import Answer, Invoker, Reply

AHEAD = 4
"""Events for each thread that are packed before the first of them is done."""


@dataclass
class SubmitCounts:
    """What has become of the records so far; a line that can't be sent counts as one."""

    accepted: int = 0
    events: int = 0
    """That the accepted records are in."""
    skipped: int = 0
    """Lines that an earlier run got accepted."""
    rejected: int = 0
    invalid: int = 0
    """Those of the rejected that can't be sent as they are."""


@dataclass
class Submission:
    """One run over an input."""

    function: str
    invoker: Invoker
    packing: Packing
    permits: Callable[[Batch], int]
    """How many permits of the rate an event needs."""
    reject: Callable[[Batch], object] = lambda batch: None
    """Called with what was not accepted."""
    journal: Journal | None = None
    """None if the input can't be read a second time."""
    parallel: int = 8
    tell: Callable[[Batch, Answer], object] = lambda batch, answer: None
    """Called with each event when it is done, in order."""
    counts: SubmitCounts = field(default_factory=SubmitCounts, init=False)
    _window: deque[tuple[Batch, Future[Answer]]] = field(default_factory=deque, init=False)

    def run(self, lines: Iterator[Line]) -> SubmitCounts:
        """Send the lines.

        Raises:
            CommandError: It can't go on. If there is a journal, the same call resumes; if there is none, the lines that
                were not accepted were rejected.
        """
        with ThreadPoolExecutor(self.parallel) as pool:
            try:
                for batch in self.packing.pack(self._to_send(lines)):
                    with undisturbed():
                        self._window.append((batch, _refusal(batch) or pool.submit(self._send, batch)))
                    if len(self._window) >= AHEAD * self.parallel:
                        self._settle()
                while self._window:
                    self._settle()
            except BaseException as error:
                self.invoker.stop.set()
                if self.journal is None:
                    self._reject_rest(lines if isinstance(error, CommandError) else iter(()))
                raise
        return self.counts

    def _to_send(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Yield the lines that no earlier run got accepted."""
        for line in lines:
            if self.journal and self.journal.holds(line):
                self.counts.skipped += 1
            else:
                yield line

    def _send(self, batch: Batch) -> Answer:
        permits = self.permits(batch)
        self.invoker.rate.take_all(permits)
        answer = self.invoker.send(self.function, batch.payload, permits=permits)
        if answer.reply is Reply.ACCEPTED and self.journal:
            self.journal.add(batch.lines)
        return answer

    def _settle(self) -> None:
        """Wait for the first event of the window; it stays there if it can't be settled."""
        batch, future = self._window[0]
        answer = future.result()
        with undisturbed():
            if answer.reply is Reply.ACCEPTED:
                self.counts.accepted += batch.records
                self.counts.events += 1
            else:
                self._reject(batch)
            self._window.popleft()
        self.tell(batch, answer)

    def _reject_rest(self, lines: Iterator[Line]) -> None:
        """Reject what was read, and what is still to be read, and not accepted."""
        while self._window:
            try:
                self._settle()
            except CommandError:
                self._reject(self._window.popleft()[0])
        for batch in chain(self.packing.rest(), self.packing.pack(lines)):
            self._reject(batch)

    def _reject(self, batch: Batch) -> None:
        self.reject(batch)
        self.counts.rejected += batch.records
        self.counts.invalid += bool(batch.problem)


def _refusal(batch: Batch) -> Future[Answer] | None:
    """Return the answer to a line that can't be sent, for which no thread is needed."""
    if not batch.problem:
        return None
    future = Future[Answer]()
    future.set_result(Answer(Reply.REFUSED, reason=batch.problem))
    return future
