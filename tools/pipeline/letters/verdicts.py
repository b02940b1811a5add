"""What becomes of letters in a redrive, and how many there are of each kind."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import NamedTuple

from pipeline.letters.selection import Finding


class Verdict(Enum):
    """What is done with a letter, or why it is left."""

    SENT = "sent again"
    NOT_DELETED = "sent again but not deleted"
    REFUSED = "refused by Lambda"
    FAILED = "not sent"
    UNKNOWN = "of no known stage"
    NOT_GIVEN = "not for that stage"
    CAME_BACK = "came back"
    NEWER = "arrived since"
    OTHER = "not selected"


UNFINISHED = (
    *(Verdict.NOT_DELETED, Verdict.REFUSED, Verdict.FAILED),
    *(Verdict.UNKNOWN, Verdict.NOT_GIVEN, Verdict.CAME_BACK),
)
"""What was asked for and not brought to its end."""

ACCEPTED = (Verdict.SENT, Verdict.NOT_DELETED)
LEFT = tuple(verdict for verdict in Verdict if verdict not in (*ACCEPTED, Verdict.FAILED))
"""What is not tried again within a run."""


class Handled(NamedTuple):
    """What has just become of a letter."""

    finding: Finding
    verdict: Verdict
    reason: str = ""


@dataclass
class RedriveCounts:
    """What has become of the letters so far, for any number of threads; each counts once, by its latest verdict."""

    tell: Callable[[Handled], None] = lambda handled: None  # called with a letter when its verdict is another one
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    targets: Counter[str] = field(default_factory=Counter)  # letters that were sent to each stage
    _lock: Lock = field(default_factory=Lock, init=False)

    def count(self, *verdicts: Verdict) -> int:
        """Return how many letters there are of some verdicts."""
        return sum(verdict in verdicts for verdict in self.verdicts.values())

    def settle(self, handled: Handled, *, target: str | None = None) -> None:
        """Note what became of a letter, and the stage that it was sent to."""
        message_id = handled.finding.letter.message_id
        with self._lock:
            is_news = self.verdicts.get(message_id) is not handled.verdict
            self.verdicts[message_id] = handled.verdict
            if target:
                self.targets[target] += 1
        if is_news:
            self.tell(handled)

    def deleted(self, message_id: str) -> None:
        """Note that a letter was deleted after it was sent."""
        with self._lock:
            self.verdicts[message_id] = Verdict.SENT
