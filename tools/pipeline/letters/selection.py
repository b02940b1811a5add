"""Which dead letters a command is about, and what is known of each."""

import re
from typing import NamedTuple

from pipeline.stack import RESULT, Attribution, DeadLetter, Stack, attribute, inside

# Request ids and times: Lambda puts both into the message of a timeout.
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?"
)
UNKNOWN = "unknown"  # what letters are selected by that can't be attributed


class Finding(NamedTuple):
    """A letter with what its stack says about it."""

    letter: DeadLetter
    attribution: Attribution

    @property
    def stage_name(self) -> str:
        """The stage as it is shown and selected by."""
        return self.attribution.stage or UNKNOWN

    @property
    def record_id(self) -> str | None:
        """The record's id as the failed stage or one before was given it, if it has one; of a file, its key."""
        stage, event = self.attribution.stage, self.letter.event
        if self.attribution.is_beside and isinstance(key := inside(event, "detail", "object", "key"), str):
            return key
        given = (self.attribution.record, *self.attribution.given.values())
        for document in given if stage else (inside(event, RESULT), event):
            if isinstance(found := inside(document, "id"), str):
                return found
        return None

    @property
    def records(self) -> int:
        """How many records the letter holds: a batch that failed as a whole holds all of them."""
        return len(record) if isinstance(record := self.attribution.record, list) else 1

    @property
    def reason(self) -> str:
        """Why the letter is there, without what differs between letters of the same reason."""
        text = self.attribution.problem or self.letter.error or "no error is given"
        return _PASSING.sub("...", text.splitlines()[0])


class Selection(NamedTuple):
    """A choice among the letters; without anything chosen, all of them."""

    stages: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def takes(self, finding: Finding) -> bool:
        """Return whether a letter is among the chosen."""
        if self.stages and finding.stage_name not in self.stages:
            return False
        return not self.pattern or any(map(self.pattern.search, (finding.letter.body, finding.letter.error)))


def examine(letter: DeadLetter, stack: Stack) -> Finding:
    """Find out what is known of a letter."""
    return Finding(letter, attribute(letter, stack))
