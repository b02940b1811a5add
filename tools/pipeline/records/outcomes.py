"""What became of all records of an input: counted in memory, and listed on the disk but for what is plainly stored."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from tempfile import TemporaryFile
from typing import NamedTuple, TypeVar

from pipeline.errors import MisuseError
from pipeline.records.claims import Claims
from pipeline.records.dead import NO_REASON, Why
from pipeline.records.judgement import Judged, Judgement, Outcome
from pipeline.records.lines import Line, LineNumbers

T = TypeVar("T")

FEW = 25  # so many records are kept one by one
MOST_GROUPS = 1000  # different reasons that are counted apart
OTHERS = "other reasons"


class Group(NamedTuple):
    """What records that are counted together have in common."""

    outcome: Outcome
    stage: str = ""
    reason: str = ""
    enriched_by: str | None = None
    changed: bool = False


class Outcomes(AbstractContextManager["Outcomes"]):
    """What became of records, within this context."""

    def __init__(self) -> None:
        self.stored_and_dead = 0  # stored records that are dead letters as well
        self.few: list[Judged] = []  # the records, unless there are many
        self._groups: Counter[Group] = Counter()
        self._claims = Claims()
        self._spool = TemporaryFile("w+")  # noqa: SIM115 - it is closed with this

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def take(
        self, judgement: Judgement, lines: Iterable[Line], show: Callable[[Judged], object] = lambda one: None
    ) -> None:
        """Note what became of the records of lines."""
        self._claims, seen = judgement.claims, 0
        try:
            for one in judgement.run(lines):
                show(one)
                seen += 1
                if seen <= FEW:
                    self.few.append(one._replace(item=None))
                if one.claim is None:
                    self._count(one)
                if one.claim is not None or one.outcome is not Outcome.STORED:
                    self._spool.write(_line(one))
            self._spool.flush()
        except OSError as error:
            problem = f"The outcomes of the lines can't be written ({error.strerror}): name another folder by TMPDIR."
            raise MisuseError(problem) from error
        for one in self._listed():
            if one.claim is not None:
                self._count(one)
        self.few = [self._settled(one) for one in self.few] if seen <= FEW else []

    @property
    def total(self) -> int:
        """How many records there are."""
        return self._groups.total()

    @property
    def counts(self) -> Counter[Outcome]:
        """The number of records by outcome."""
        return self._sum(lambda group: group.outcome)

    @property
    def enriched_by(self) -> Counter[str]:
        """The number of stored records by the version of the enricher."""
        return self._sum(lambda group: group.enriched_by)

    @property
    def changed(self) -> int:
        """Stored records whose item has other data, because a stage changed it."""
        return sum(count for group, count in self._groups.items() if group.changed)

    def listed(self, *outcomes: Outcome) -> Iterator[Judged]:
        """Yield the records with one of these outcomes, in order; stored ones are not listed."""
        return (one for one in self._listed() if one.outcome in outcomes)

    def lines(self, *outcomes: Outcome) -> LineNumbers:
        """Return the numbers of the lines that hold such records."""
        return LineNumbers(one.line for one in self.listed(*outcomes))

    def groups(self) -> list[tuple[Group, int]]:
        """Return what became of records, and of how many, the most first."""
        return self._groups.most_common()

    def _listed(self) -> Iterator[Judged]:
        self._spool.seek(0)
        yield from (self._settled(_judged(line)) for line in self._spool)

    def _settled(self, one: Judged) -> Judged:
        if one.claim is None or not self._claims.won(one.claim):
            return one
        return one._replace(outcome=Outcome.STORED, changed=True)

    def _sum(self, key: Callable[[Group], T | None]) -> Counter[T]:
        counts = Counter[T]()
        for group, count in self._groups.items():
            if (name := key(group)) is not None:
                counts[name] += count
        return counts

    def _count(self, one: Judged) -> None:
        if one.outcome is Outcome.STORED:
            self.stored_and_dead += one.why != NO_REASON
            group = Group(one.outcome, enriched_by=one.enriched_by, changed=one.changed)
        else:
            group = Group(one.outcome, one.why.stage, one.why.reason)
            if group not in self._groups and len(self._groups) >= MOST_GROUPS:
                group = Group(one.outcome, reason=OTHERS)
        self._groups[group] += 1


def _line(one: Judged) -> str:
    return json.dumps([one.line, one.id, one.outcome.name, one.why, one.enriched_by, one.claim]) + "\n"


def _judged(line: str) -> Judged:
    number, record_id, outcome, why, enriched_by, claim = json.loads(line)
    return Judged(number, record_id, Outcome[outcome], Why(*why), enriched_by, claim=claim)
