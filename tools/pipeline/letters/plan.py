"""The plan of a redrive: which letters it sends, to which stage, and how many."""

from threading import Lock
from typing import NamedTuple

from pipeline.letters.payload import NotGivenError, payloads
from pipeline.letters.selection import Finding, Selection
from pipeline.letters.verdicts import Handled, Verdict
from pipeline.stack import Stack


class Plan(NamedTuple):
    """Which letters to redrive, to which stage, and how many."""

    stack: Stack
    selection: Selection = Selection()
    to: str | None = None  # None for the stage that failed
    most: int | None = None  # letters to send at most
    split: bool = False  # send the records of a batch one by one
    visibility: int = 60  # seconds for which a letter in flight is hidden from others
    parallel: int = 8

    def target(self, finding: Finding) -> str:
        """Return the stage that a letter's event is sent to."""
        return self.to or finding.stage_name

    def events(self, finding: Finding) -> list[bytes] | Handled:
        """Return what is to be sent for a letter, or why it is left."""
        if not self.selection.takes(finding):
            return Handled(finding, Verdict.OTHER)
        if finding.attribution.stage is None:
            return Handled(finding, Verdict.UNKNOWN, finding.attribution.problem)
        try:
            return payloads(finding.letter, finding.attribution, self.target(finding), split=self.split)
        except NotGivenError as error:
            return Handled(finding, Verdict.NOT_GIVEN, str(error))


class Budget:
    """How many letters may still be sent; for any number of threads."""

    def __init__(self, most: int | None) -> None:
        self._left = float("inf") if most is None else most
        self._lock = Lock()

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left."""
        return not self._left

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
