"""What became of each record of an input: judged by its key in the table, and by the dead letters.

Lambda's queue may delete events under overload without a word, so the last proof is a comparison:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

The lines are read in their order, in windows of a hundred records. Nothing is kept of what is stored as it was sent.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Self

from pipeline.records.claims import Claims
from pipeline.records.dead import NO_REASON, DeadRecords, Why, digest
from pipeline.records.json_values import is_same
from pipeline.records.lines import InvalidLineError, Line
from pipeline.records.packing import Prepare
from pipeline.records.table import KEYS, Item, Key, Table, is_storable_id
from pipeline.records.timestamps import lacks_timestamp

READERS = 4  # requests to the table that are under way at once
WINDOW = 256 * 1024  # bytes of lines that are looked for at once
REMEMBERED = 10_000  # items of ids that are kept, as several records of an id often stand together


class Outcome(Enum):
    """What became of a record."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"  # it was not sent, or not accepted
    DIFFERENT = "different"  # another record has its key
    MISSING = "missing"
    UNKNOWN = "unknown"  # the pipeline gave it a timestamp, and other data is stored under its id


class Judged(NamedTuple):
    """A record, and what became of it."""

    line: int
    id: str | None
    outcome: Outcome
    why: Why = NO_REASON  # why it is a dead letter too, if it is stored and one
    enriched_by: str | None = None
    changed: bool = False  # whether its item has other data, because a stage changed it
    claim: int | None = None
    """Its number among those that an item with other data can be of; it is settled when all are judged."""
    end: int = 0  # bytes of the input up to the line's end
    item: Item | None = None


class _Record(NamedTuple):
    line: int
    end: int
    size: int  # bytes of its line, but for the first records of a batch
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


class _Items(NamedTuple):
    """The items that a record may have become."""

    items: Sequence[Item] = ()
    numbers: Sequence[int] = ()  # by which they are claimed
    of_data: Mapping[int, Sequence[int]] = {}  # their places by the digest of their data, if they are several

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        of_data: dict[int, list[int]] = {}
        for place, item in enumerate(items if len(items) > 1 else ()):
            of_data.setdefault(digest(b"data", json.loads(item.data or "null")), []).append(place)
        return cls(items, [hash(item.key) % 2**64 for item in items], of_data)

    def same(self, data: Any) -> Sequence[int]:
        """Return the places of the items with this data."""
        if self.of_data:
            return self.of_data.get(digest(b"data", data), ())
        return [place for place, item in enumerate(self.items) if is_same(item.data, data)]


class _Stored(NamedTuple):
    """What the table holds of a window's records."""

    of_key: Mapping[Key, Item]
    of_id: Mapping[str, _Items]

    def of(self, record: _Record) -> _Items:
        if record.key:
            return _Items.of([self.of_key[record.key]]) if record.key in self.of_key else _Items()
        return self.of_id.get(record.id or "", _Items()) if record.is_unstamped else _Items()


@dataclass
class Judgement:
    """A comparison of lines with a table and its pipeline's dead letters."""

    table: Table
    dead: DeadRecords
    prepare: Prepare  # what returns what was sent for a line
    changes_data: bool = False
    """Whether an item with other data is taken for a record that a stage changed, as long as no other line is it."""
    claims: Claims = field(default_factory=Claims, init=False)
    _ids: dict[str, _Items] = field(default_factory=dict, init=False)
    _remembered: int = field(default=0, init=False)

    def run(self, lines: Iterable[Line]) -> Iterator[Judged]:
        """Yield what became of each record, in order."""
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
            *others, last = prepared.records
            yield from (_Record(line.number, line.end, 0, document, Key.of(document)) for document in others)
            yield _Record(line.number, line.end, len(line.content), last, Key.of(last))

    def _read(self, window: Sequence[_Record | Judged]) -> _Stored:
        records = [one for one in window if isinstance(one, _Record)]
        of_key = self.table.get({one.key for one in records if one.key})
        ids = {one.id: None for one in records if one.is_unstamped and one.id}
        return _Stored(of_key, {record_id: self._of_id(record_id) for record_id in ids})

    def _of_id(self, record_id: str) -> _Items:
        if (found := self._ids.get(record_id)) is None:
            found = _Items.of(self.table.of_id(record_id))
            self._remembered += 1 + len(found.items)
            if self._remembered > REMEMBERED:
                self._ids, self._remembered = {}, len(found.items)
            self._ids[record_id] = found
        return found

    def _judge_all(self, window: Sequence[_Record | Judged], reading: Future[_Stored]) -> Iterator[Judged]:
        stored = reading.result()
        yield from (one if isinstance(one, Judged) else self._judge(one, stored) for one in window)

    def _judge(self, record: _Record, stored: _Stored) -> Judged:
        why = self.dead.find(record.document)
        found = stored.of(record)
        same = found.same(record.data)
        item, claim = None, None
        if same:
            outcome, item = Outcome.STORED, found.items[same[0]]
            if self.changes_data:
                self.claims.take(found.numbers[place] for place in same)
        else:
            outcome = _without_item(record, why, found.items)
            if found.items and self.changes_data:
                item = found.items[0]
                claim = self.claims.ask(found.numbers, owner=record.id or "", is_dead=why is not None)
        version = item.enriched_by if item else None
        return Judged(record.line, record.id, outcome, why or NO_REASON, version, False, claim, record.end, item)


def _without_item(record: _Record, why: Why | None, items: Sequence[Item]) -> Outcome:
    """Return what became of a record that no item is of."""
    if why:
        return Outcome.DEAD
    if not items:
        return Outcome.MISSING
    return Outcome.DIFFERENT if record.key else Outcome.UNKNOWN


def _windows(records: Iterable[_Record | Judged]) -> Iterator[list[_Record | Judged]]:
    """Yield records that are looked for at once: a hundred, or fewer large ones."""
    window: list[_Record | Judged] = []
    size = 0
    for record in records:
        window.append(record)
        size += record.size if isinstance(record, _Record) else 0
        if len(window) == KEYS or size > WINDOW:
            yield window
            window, size = [], 0
    yield window
