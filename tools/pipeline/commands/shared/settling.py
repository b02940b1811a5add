"""Settling a submission: its lines are waited for, judged by key, and sent again if they are missing."""

import time
from dataclasses import dataclass, field, replace

from pipeline.commands.shared.context import Context
from pipeline.commands.shared.judging import look, read_dead_records, show_outcomes
from pipeline.errors import standing
from pipeline.records.dead import DeadRecords
from pipeline.records.judgement import Judgement, Outcome
from pipeline.records.lines import InvalidLineError, Line, LineNumbers
from pipeline.records.outcomes import Outcomes
from pipeline.records.packing import Prepare
from pipeline.records.source import Source
from pipeline.records.submit import Submission
from pipeline.records.timestamps import lacks_timestamp
from pipeline.terminal.printable import counted

FRUITLESS = 3  # rounds in a row after which lines are sent again no more, if none of them has settled a line
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between two looks, doubled from look to look that finds nothing new
RATE = 3000.0  # keys that are read a second


class Pauses:
    """The pauses between looks, until it was quiet for so many seconds."""

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self.news()

    def news(self) -> None:
        """Begin with short pauses again: something has changed."""
        self._pause, self._until = FIRST_PAUSE, time.monotonic() + self._quiet

    def wait(self) -> bool:
        """Wait for a moment; False if it was quiet for so long that nothing more is to be expected."""
        left = self._until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return True


@dataclass
class Settling:
    """What is done until each line of a submission is stored or a dead letter."""

    context: Context
    source: Source
    prepare: Prepare
    submission: Submission  # that sent the lines
    started: int  # when the submission began, in ms since the epoch. Older letters belong to another submission.
    quiet: float
    keys_only: bool
    _letters: int = field(default=0, init=False)  # dead letters when they were read
    _dead: DeadRecords = field(default_factory=DeadRecords, init=False)
    _open: LineNumbers | None = field(default=None, init=False)
    """The lines that are neither stored nor dead letters; None for all."""
    _missing: LineNumbers = field(default_factory=LineNumbers, init=False)  # those whose keys nothing is stored under

    def run(self) -> int:
        """Settle the lines, print what became of them, and return the exit code."""
        again = "; run the same command again to settle them" if self.submission.journal else ""
        with standing(lambda: f"the lines were sent{again}"):
            self._settle()
        with Outcomes() as outcomes:
            dead = read_dead_records(self.context)
            judgement = Judgement(self.context.table(rate=RATE), dead, self.prepare, self.keys_only)
            look(self.context, self.source, outcomes, judgement)
            return show_outcomes(self.context.screen, outcomes)

    def _settle(self) -> None:
        """Wait, and send again what is missing, as long as that settles lines."""
        fruitless, before = 0, None
        while True:
            self._wait(self.quiet * 2**fruitless)
            left = len(self._open or ())
            fruitless = fruitless + 1 if left == before else 0
            if not left or fruitless == FRUITLESS or not self._send_again():
                return
            before = left

    def _wait(self, quiet: float) -> None:
        """Wait until no line is open, or nothing has changed for so many seconds."""
        pauses, before = Pauses(quiet), -1
        while True:
            self._look()
            left = len(self._open or ())
            if left != before:
                pauses.news()
            if not left or not pauses.wait():
                return
            before = left

    def _look(self) -> None:
        """Find which of the open lines still are."""
        depth = self.context.queue().depth()
        if depth.visible != self._letters:
            since = self.started + depth.time - time.time_ns() // 1_000_000  # by SQS's clock
            self._dead, self._letters = read_dead_records(self.context, since=since), depth.visible
        judgement = Judgement(self.context.table(rate=RATE), self._dead, self.prepare)
        lines = self.source.lines() if self._open is None else self.source.chosen(self._open)
        with Outcomes() as outcomes:
            outcomes.take(judgement, lines)
            unsettled = (Outcome.MISSING, Outcome.UNKNOWN) + ((Outcome.DIFFERENT,) if not self.keys_only else ())
            self._open, self._missing = outcomes.lines(*unsettled), outcomes.lines(Outcome.MISSING)

    def _send_again(self) -> bool:
        """Send the missing lines again, which stores nothing twice; return whether there were any."""
        lines = (line for line in self.source.chosen(self._missing) if self._is_stamped(line))
        again = replace(self.submission, journal=None, reject=lambda batch: None)
        again.run(lines)
        if again.counts.accepted:
            self.context.screen.note(f"Sent again: {counted(again.counts.accepted, 'record', 'records')}.")
        return again.counts.accepted > 0

    def _is_stamped(self, line: Line) -> bool:
        try:
            return not any(map(lacks_timestamp, self.prepare(line).records))
        except InvalidLineError:
            return False
