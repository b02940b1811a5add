"""Submitting: each line of the input is sent to the pipeline's entry, and none is forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from operate.errors import OperateError
from operate.invoke import Fate, Invoker, Outcome
from operate.submission.journal import Journal
from operate.submission.lines import InvalidLineError, Line, event
from operate.submission.rejected import Rejected

AHEAD = 4
"""Lines for each thread that are read before the first of them is done."""


@dataclass
class SubmitCounts:
    """What has become of the lines so far."""

    accepted: int = 0
    skipped: int = 0
    """Accepted by an earlier run."""
    rejected: int = 0


class Sent(NamedTuple):
    """What became of a line, and what it was sent as."""

    outcome: Outcome
    content: bytes


@dataclass
class Submission:
    """One run over an input."""

    function: str
    invoker: Invoker
    rejected: Rejected
    journal: Journal | None = None
    """None where the input can't be read a second time."""
    started: int | None = None
    """The time that records without a timestamp are stamped from; None leaves them as they are."""
    parallel: int = 8
    tell: Callable[[Line, Outcome | None], None] = lambda line, outcome: None
    """Called with each line when it is done; without an outcome where an earlier run did it."""
    counts: SubmitCounts = field(default_factory=SubmitCounts, init=False)

    def run(self, lines: Iterator[Line]) -> SubmitCounts:
        """Send the lines.

        Raises:
            OperateError: It can't go on. Where there is a journal, the same call resumes; where there is none, the
                lines that were not accepted are with the rejected ones.
        """
        window: deque[tuple[Line, Future[Sent]]] = deque()
        with ThreadPoolExecutor(self.parallel) as pool:
            try:
                self._feed(lines, window, pool)
            except BaseException as error:
                self.invoker.stop.set()
                if self.journal is None:
                    self._reject_rest(window, lines if isinstance(error, OperateError) else iter(()))
                raise
        return self.counts

    def _feed(self, lines: Iterator[Line], window: deque[tuple[Line, Future[Sent]]], pool: ThreadPoolExecutor) -> None:
        for line in lines:
            if self.journal and self.journal.holds(line):
                self.counts.skipped += 1
                self.tell(line, None)
                continue
            window.append((line, pool.submit(self._send, line)))
            if len(window) >= AHEAD * self.parallel:
                self._settle(window)
        while window:
            self._settle(window)

    def _send(self, line: Line) -> Sent:
        try:
            content = event(line, started=self.started)
        except InvalidLineError as error:
            return Sent(Outcome(Fate.REFUSED, reason=str(error)), line.content)
        self.invoker.rate.take()
        outcome = self.invoker.send(self.function, content)
        if outcome.fate is Fate.ACCEPTED and self.journal:
            self.journal.add(line)
        return Sent(outcome, content)

    def _settle(self, window: deque[tuple[Line, Future[Sent]]]) -> None:
        """Wait for the first line of the window; it stays there if it can't be settled."""
        line, future = window[0]
        outcome, content = future.result()
        if outcome.fate is Fate.ACCEPTED:
            self.counts.accepted += 1
        else:
            self.rejected.add(content)
            self.counts.rejected += 1
        window.popleft()
        self.tell(line, outcome)

    def _reject_rest(self, window: deque[tuple[Line, Future[Sent]]], lines: Iterator[Line]) -> None:
        """Keep what was read, and what is still to be read, and not accepted."""
        while window:
            try:
                self._settle(window)
            except OperateError:
                line, _ = window.popleft()
                self._reject(line)
        for line in lines:
            self._reject(line)
        self.rejected.finish()

    def _reject(self, line: Line) -> None:
        try:
            content = event(line, started=self.started)
        except InvalidLineError:
            content = line.content
        self.rejected.add(content)
        self.counts.rejected += 1
