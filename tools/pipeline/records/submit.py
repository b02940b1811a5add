"""Submitting: each line of the input is sent to the pipeline's entry, and none is forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from pipeline.errors import CommandError
from pipeline.records.files import NewFile
from pipeline.records.journal import Journal
from pipeline.records.lines import Line
from pipeline.records.packing import Batch, Packing
from pipeline.stack.invoke import Fate, Invoker, Outcome

AHEAD = 4
"""Events for each thread that are packed before the first of them is done."""


@dataclass
class SubmitCounts:
    """What has become of the lines so far."""

    accepted: int = 0
    skipped: int = 0
    """Accepted by an earlier run."""
    rejected: int = 0


@dataclass
class Submission:
    """One run over an input."""

    function: str
    invoker: Invoker
    rejected: NewFile
    packing: Packing
    permits: Callable[[Batch], int]
    """How many permits of the rate an event needs."""
    journal: Journal | None = None
    """None where the input can't be read a second time."""
    parallel: int = 8
    tell: Callable[[Sequence[Line], Outcome | None], None] = lambda lines, outcome: None
    """Called with lines when they are done; without an outcome where an earlier run did it."""
    counts: SubmitCounts = field(default_factory=SubmitCounts, init=False)
    _window: deque[tuple[Batch, Future[Outcome]]] = field(default_factory=deque, init=False)

    def run(self, lines: Iterator[Line]) -> SubmitCounts:
        """Send the lines.

        Raises:
            CommandError: It can't go on. Where there is a journal, the same call resumes; where there is none, the
                lines that were not accepted are with the rejected ones.
        """
        with ThreadPoolExecutor(self.parallel) as pool:
            try:
                for batch in self.packing.pack(self._to_send(lines)):
                    self._window.append((batch, pool.submit(self._send, batch)))
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
                self.tell([line], None)
            else:
                yield line

    def _send(self, batch: Batch) -> Outcome:
        if batch.problem:
            return Outcome(Fate.REFUSED, reason=batch.problem)
        permits = self.permits(batch)
        self.invoker.rate.take_all(permits)
        outcome = self.invoker.send(self.function, batch.payload, permits=permits)
        if outcome.fate is Fate.ACCEPTED and self.journal:
            self.journal.add(batch.lines)
        return outcome

    def _settle(self) -> None:
        """Wait for the first event of the window; it stays there if it can't be settled."""
        batch, future = self._window[0]
        outcome = future.result()
        if outcome.fate is Fate.ACCEPTED:
            self.counts.accepted += len(batch.lines)
        else:
            self._reject(batch)
        self._window.popleft()
        self.tell(batch.lines, outcome)

    def _reject_rest(self, lines: Iterator[Line]) -> None:
        """Keep what was read, and what is still to be read, and not accepted."""
        while self._window:
            try:
                self._settle()
            except CommandError:
                self._reject(self._window.popleft()[0])
        for batch in chain(self.packing.rest(), self.packing.pack(lines)):
            self._reject(batch)
        self.rejected.finish()

    def _reject(self, batch: Batch) -> None:
        for content in filter(None, batch.contents):  # one that is too long to be held is written already
            self.rejected.write(content + b"\n")
        self.counts.rejected += len(batch.lines)
