"""What became of each record of an input: judged by its key in the table, and by the dead letters.

Lambda's queue may delete events under overload without a word, so the last proof is a comparison:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

The lines are read in their order, in windows of a hundred records. Nothing is kept of what is stored as it was sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Any, NamedTuple

from pipeline.records.claims import Claims
from pipeline.records.dead import DeadRecords, Why, digest
from pipeline.records.json_values import is_same
from pipeline.records.lines import InvalidLineError, Line
from pipeline.records.packing import Prepare
from pipeline.records.table import KEYS, Item, Key, Table, is_storable_id
from pipeline.records.timestamps import lacks_timestamp

READERS = 4
"""Requests to the table that are under way at once."""
REMEMBERED = 10_000
"""Items of ids that are kept, as several records of an id often stand together."""


class Outcome(Enum):
    """What became of a record."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"
    """It was not sent, or not accepted."""
    DIFFERENT = "different"
    """Another record has its key."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    """The pipeline gave it a timestamp, and other data is stored under its id."""


class Judged(NamedTuple):
    """A record, and what became of it."""

    line: int
    id: str | None
    outcome: Outcome
    why: Why = Why()
    """Why it is a dead letter too, if it is stored and one."""
    enriched_by: str | None = None
    changed: bool = False
    """Whether its item has other data, because a stage changed it."""
    claim: int | None = None
    """Its number among those that an item with other data can be of; it is settled when all are judged."""
    end: int = 0
    """Bytes of the input up to the line's end."""
    item: Item | None = None


class _Record(NamedTuple):
    """A record of a line that was sent."""

    line: Line
    document: Any
    key: Key | None

    @property
    def id(self) -> str | None:
        found = self.document.get("id") if isinstance(self.document, dict) else None
        return found if isinstance(found, str) else None

    @property
    def data(self) -> Any:
        return self.document.get("data") if isinstance(self.document, dict) else None

    @property
    def is_unstamped(self) -> bool:
        """Whether it can have been stored under any timestamp."""
        return lacks_timestamp(self.document) and is_storable_id(self.id)


class _Stored(NamedTuple):
    """What the table holds of a window's records."""

    of_key: Mapping[Key, Item]
    of_id: Mapping[str, Sequence[Item]]


@dataclass
class Judgement:
    """A comparison of lines with a table and its pipeline's dead letters."""

    table: Table
    dead: DeadRecords
    prepare: Prepare
    """What returns what was sent for a line."""
    changes_data: bool = False
    """Whether an item with other data is taken for a record that a stage changed, as long as no other line is it."""
    claims: Claims = field(default_factory=Claims, init=False)
    _ids: dict[str, list[Item]] = field(default_factory=dict, init=False)
    _remembered: int = field(default=0, init=False)

    def run(self, lines: Iterable[Line]) -> Iterator[Judged]:
        """Yield what became of each record, in order.

        Raises:
            AwsError: The table can't be read.
        """
        with ThreadPoolExecutor(READERS) as pool:
            ahead = deque[tuple[list[_Record | Judged], Future[_Stored]]]()
            for window in _windows(self._records(lines)):
                ahead.append((window, pool.submit(self._read, window)))
                if len(ahead) > READERS:
                    yield from self._judge_all(*ahead.popleft())
            while ahead:
                yield from self._judge_all(*ahead.popleft())
        self.claims.settle()

    def _records(self, lines: Iterable[Line]) -> Iterator[_Record | Judged]:
        for line in lines:
            try:
                prepared = self.prepare(line)
            except InvalidLineError as error:
                yield Judged(line.number, None, Outcome.REFUSED, Why(reason=str(error)), end=line.end)
                continue
            yield from (_Record(line, document, Key.of(document)) for document in prepared.records)

    def _read(self, window: Sequence[_Record | Judged]) -> _Stored:
        records = [one for one in window if isinstance(one, _Record)]
        of_key = self.table.get({one.key for one in records if one.key})
        ids = {one.id: None for one in records if one.is_unstamped and one.id}
        return _Stored(of_key, {record_id: self._of_id(record_id) for record_id in ids})

    def _of_id(self, record_id: str) -> list[Item]:
        if (items := self._ids.get(record_id)) is None:
            items = self.table.of_id(record_id)
            self._remembered += 1 + len(items)
            if self._remembered > REMEMBERED:
                self._ids, self._remembered = {}, len(items)
            self._ids[record_id] = items
        return items

    def _judge_all(self, window: Sequence[_Record | Judged], reading: Future[_Stored]) -> Iterator[Judged]:
        stored = reading.result()
        yield from (one if isinstance(one, Judged) else self._judge(one, stored) for one in window)

    def _judge(self, record: _Record, stored: _Stored) -> Judged:
        why = self.dead.find(record.document)
        if record.key:
            items = [item for item in [stored.of_key.get(record.key)] if item]
        else:
            items = list(stored.of_id.get(record.id, ())) if record.is_unstamped and record.id else []
        same = [item for item in items if is_same(item.data, record.data)]
        judged = Judged(record.line.number, record.id, Outcome.STORED, why or Why(), end=record.line.end)
        if same:
            self.claims.take(map(_digest, same if self.changes_data else ()))
            return judged._replace(enriched_by=same[0].enriched_by, item=same[0])
        if items and self.changes_data:
            return judged._replace(
                outcome=_without_item(record, why, items),
                enriched_by=items[0].enriched_by,
                claim=self.claims.ask(map(_digest, items), owner=record.id or "", is_dead=why is not None),
                item=items[0],
            )
        return judged._replace(outcome=_without_item(record, why, items))


def _without_item(record: _Record, why: Why | None, items: Sequence[Item]) -> Outcome:
    """Return what became of a record that no item is of."""
    if why:
        return Outcome.DEAD
    if not items:
        return Outcome.MISSING
    return Outcome.DIFFERENT if record.key else Outcome.UNKNOWN


def _windows(records: Iterable[_Record | Judged]) -> Iterator[list[_Record | Judged]]:
    iterator = iter(records)
    while window := list(islice(iterator, KEYS)):
        yield window


def _digest(item: Item) -> int:
    return digest(b"key", list(item.key))
