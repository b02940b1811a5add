"""Which dead letters a command is about, and what is known of each."""

from __future__ import annotations

import re
from typing import NamedTuple

from operate.dead_letters.history import History
from operate.dead_letters.letter import Letter
from operate.stack import Stack

# Request ids and times: Lambda puts both into the message of a timeout.
_PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?"
)
UNKNOWN = "unknown"
"""What letters are selected by that can't be attributed."""


class Finding(NamedTuple):
    """A letter with what its stack and the history say about it."""

    letter: Letter
    stage: str | None
    problem: str
    """Why the stage is not known."""
    redriven: int
    """How often its event was redriven before."""

    @property
    def stage_name(self) -> str:
        """The stage as it is shown and selected by."""
        return self.stage or UNKNOWN

    @property
    def reason(self) -> str:
        """Why the letter is there, without what differs between letters of the same reason."""
        text = self.problem or self.letter.error or "no error is given"
        return _PASSING.sub("...", text.splitlines()[0])


class Selection(NamedTuple):
    """A choice among the letters; without anything chosen, all of them."""

    stages: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def require_stages_of(self, stack: Stack) -> None:
        """Raise MisuseError where a chosen stage is none of the stack's."""
        stack.require(sorted(self.stages - {UNKNOWN}))

    def takes(self, finding: Finding) -> bool:
        """Return whether a letter is among the chosen."""
        if self.stages and finding.stage_name not in self.stages:
            return False
        return self.pattern is None or bool(
            self.pattern.search(finding.letter.body) or self.pattern.search(finding.letter.error)
        )


def examine(letter: Letter, stack: Stack, history: History) -> Finding:
    """Find out what is known of a letter."""
    stage, problem = letter.attribute(stack)
    return Finding(letter, stage, problem, history.times(letter))
