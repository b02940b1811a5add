"""What became of each submitted line, judged by the table and the dead-letter queue alone.

A file may have more lines than fit into memory, so what is known of them is in a temporary database on the disk, which
is gone with its connection. Of a record it holds the id and digests, nothing of the data: of the whole document, by
which a dead letter names it; of its key, by which an item does; and of its data, which decides where several records
have the key.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from hashlib import blake2b
from typing import Any, NamedTuple

from .errors import LocalError
from .matching import Document, canonical
from .results import Failure, Item
from .submit import Submission

CACHE = 4_000
"""KB of the database that are kept in memory."""
DIGITS = 40
"""Of a timestamp as a text that sorts as its number: more than the 38 of DynamoDB."""


class Fate(Enum):
    """What became of a line."""

    STORED = "stored"
    DEAD = "dead letter"
    REFUSED = "refused"
    LOST = "lost"


class Outcome(NamedTuple):
    """What became of a line."""

    fate: Fate
    stage: str = ""
    """That failed, where it is a dead letter."""
    reason: str = ""
    """Why it is one, or why it was refused."""
    error_code: str = ""
    enriched_by: tuple[str | None, ...] = ()
    """The enrichers' versions of its items; None for one that was never enriched."""
    changed: bool = False
    """Whether an item has other data than the line, because a stage changed it."""
    line: int = 0
    """Its number; 0 where it stands for many lines."""
    id: str | None = None
    """The record's id, where the line is one record that has one."""
    request_id: str | None = None


# In the database a fate is a number: nothing came of a record (0), a letter (1), an item (2), or both (3). A line that
# holds several records has the least of theirs; and of the records that an item with changed data can be of, the one
# with the least is the likeliest. A refused line has -1.
FATES = {0: Fate.LOST, 1: Fate.DEAD, 2: Fate.STORED, -1: Fate.REFUSED}

TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE records (
    line INTEGER, place INTEGER, id BLOB, request TEXT, document BLOB, key BLOB, data BLOB,
    fate INTEGER, why TEXT, versions TEXT DEFAULT '', changed INTEGER DEFAULT 0, PRIMARY KEY (line, place)
) WITHOUT ROWID;
CREATE TABLE changed_items (timestamp TEXT, key BLOB, unstamped BLOB, version TEXT);
CREATE TABLE shown_items (id BLOB, timestamp TEXT, fields TEXT);
"""
ADD = """
INSERT OR REPLACE INTO records (line, place, id, request, document, key, data, fate, why) VALUES (?,?,?,?,?,?,?,?,?)
"""
INDEXES = """
CREATE INDEX by_document ON records (document);
CREATE INDEX by_data ON records (key, data);
"""
STORE = """
UPDATE records SET fate = fate | 2, changed = changed | :changed,
    versions = CASE instr(versions, :version) WHEN 0 THEN versions || :version ELSE versions END
"""
STORE_SAME = STORE + "WHERE key IN (:key, :unstamped) AND data = :data"
STORE_CHANGED = STORE + "WHERE document = :document"
FAIL = "UPDATE records SET fate = fate | 1, why = coalesce(why, ?) WHERE document = ?"
INDEX_FATES = "CREATE INDEX by_fate ON records (key, fate)"
LIKELIEST = "SELECT fate, document FROM records WHERE key = ? ORDER BY fate, line, place LIMIT 1"
JUDGE = """
CREATE TABLE outcomes AS SELECT
    line, CASE count(*) WHEN 1 THEN id END AS id, request, min(min(fate), 2) AS fate, max(fate) AS most,
    (SELECT why FROM records AS one WHERE one.line = records.line AND why NOT NULL ORDER BY place LIMIT 1) AS why,
    group_concat(versions, '') AS versions, max(changed) AS changed
FROM records GROUP BY line ORDER BY line
"""
WHAT = "fate, why, versions, changed"
GROUPS = f"SELECT count(*), {WHAT} FROM outcomes GROUP BY {WHAT} ORDER BY 1 DESC, min(line)"  # noqa: S608 - its own words


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        folders = "TMPDIR names another folder for temporary files"
        raise LocalError(f"what is known of the lines can't be kept: {error}; {folders}") from error


class Ledger:
    """The lines of a run, and what became of them."""

    def __init__(self, *, showing_items: bool = False) -> None:
        """Begin without lines; the items themselves are only kept where they are to be shown."""
        self.items = 0
        """Items that the table holds."""
        self.enriched_by: Counter[str] = Counter()
        """How many records were enriched by each of the enrichers' versions."""
        self._fates: Counter[int] = Counter()
        self._showing_items = showing_items
        self._database = sqlite3.connect("", isolation_level=None)  # no name: SQLite's own temporary file
        weakref.finalize(self, self._database.close)
        self._database.executescript(f"PRAGMA cache_size = -{CACHE}; {TABLES}")

    @_on_disk()
    def add(self, submissions: Iterable[Submission]) -> None:
        """Note what was submitted; noted twice, it counts once."""
        for submission in submissions:
            self._database.executemany(ADD, list(_rows(submission)))

    @_on_disk()
    def judge(self, items: Iterable[Item], failures: Iterable[Failure]) -> None:
        """Find each line's items or dead letters; a line that has both counts as stored."""
        self._database.executescript(INDEXES)
        for item in items:
            self._take_item(item)
        for failure in failures:
            why = _why(failure.stage, failure.letter.error, failure.letter.error_code)
            self._database.executemany(FAIL, [(why, _digest(origin)) for origin in failure.origins])
        self._database.execute(INDEX_FATES)
        for _, *keys, version in self._database.execute("SELECT * FROM changed_items ORDER BY timestamp"):
            self._find_owner(keys, json.loads(version))
        self._database.execute(JUDGE)
        self._fates.update(dict(self._database.execute("SELECT fate, count(*) FROM outcomes GROUP BY fate")))

    def _take_item(self, item: Item) -> None:
        """Find the records that became an item, by its key and data; those without a timestamp can have got any."""
        self.items += 1
        timestamp = str(item.timestamp).zfill(DIGITS)
        if self._showing_items:
            shown = _bytes(item.id), timestamp, json.dumps(item.fields)
            self._database.execute("INSERT INTO shown_items VALUES (?, ?, ?)", shown)
        key, unstamped = _key(item.id, str(item.timestamp)), _key(item.id, "")
        if not self._store(STORE_SAME, item.enriched_by, key=key, unstamped=unstamped, data=_digest(item.data)):
            changed = timestamp, key, unstamped, json.dumps(item.enriched_by)
            self._database.execute("INSERT INTO changed_items VALUES (?, ?, ?, ?)", changed)

    def _find_owner(self, keys: Sequence[bytes], version: str | None) -> None:
        """Find the record that became an item whose data a stage changed: the first of its key that has no fate yet."""
        found = [row for key in keys if (row := self._database.execute(LIKELIEST, (key,)).fetchone())]
        if found:
            _, document = min(found, key=lambda row: int(row[0]))
            self._store(STORE_CHANGED, version, changed=True, document=document)

    def _store(self, statement: str, version: str | None, *, changed: bool = False, **of: bytes) -> int:
        """Mark records as stored, and return how many they are."""
        values = {"version": f"\n{json.dumps(version)}\n", "changed": changed, **of}
        count = self._database.execute(statement, values).rowcount
        if version and count:
            self.enriched_by[version] += count
        return count

    # What it says once it has judged

    def count(self, *fates: Fate) -> int:
        """Return how many lines had one of these fates."""
        return sum(count for number, count in self._fates.items() if FATES[number] in fates)

    @property
    def events(self) -> int:
        """Events that the lines were accepted in."""
        return self._number("count(DISTINCT request)")

    @property
    def changed(self) -> int:
        """Lines of which an item has other data, because a stage changed it."""
        return self._number("count(*)", "changed")

    @property
    def stored_and_dead(self) -> int:
        """Lines that are stored, and are dead letters as well."""
        return self._number("count(*)", "fate = 2 AND most = 3")

    def _number(self, what: str, condition: str = "true") -> int:
        (number,) = self._database.execute(f"SELECT {what} FROM outcomes WHERE {condition}").fetchone()  # noqa: S608 - its own words
        return int(number)

    def outcomes(self, *fates: Fate) -> Iterator[Outcome]:
        """Yield what became of the lines that had one of these fates, in their order."""
        of = f"FROM outcomes WHERE fate IN ({_numbers(fates)}) ORDER BY rowid"
        yield from map(_outcome, self._database.execute(f"SELECT {WHAT}, line, id, request {of}"))

    def groups(self) -> Iterator[tuple[Outcome, int]]:
        """Yield what became of lines, and of how many, the most first."""
        yield from ((_outcome(row), count) for count, *row in self._database.execute(GROUPS))

    def shown_items(self) -> Iterator[dict[str, Any]]:
        """Yield the stored items, in the order of their keys."""
        found = self._database.execute("SELECT fields FROM shown_items ORDER BY id, timestamp")
        yield from (json.loads(fields) for (fields,) in found)


def _rows(submission: Submission) -> Iterator[tuple[Any, ...]]:
    """Yield what is noted of a line: a row for each of its records; of a refused one, which is none, its id."""
    line, request_id, refusal = submission
    documents = _documents(line.content)
    if request_id is None:
        found = documents[0].id if len(documents) == 1 else ""
        yield line.number, 0, _bytes(found), None, None, None, None, -1, _why("", refusal or "", "")
        return
    for place, one in enumerate(documents):
        key = _key(one.id, one.timestamp) if one.id else None
        digests = _digest(one.text), key, _digest(one.data)
        yield line.number, place, _bytes(one.id), request_id, *digests, 0, None


def _documents(content: bytes) -> Sequence[Document]:
    """Read the records of a line: one, or those of a batch; what can't be read matches nothing."""
    try:
        document = json.loads(content)
        return [Document.of(one) for one in (isinstance(document, list) and document) or [document]]
    except (ValueError, RecursionError):
        return [Document("", "", "", "")]


def _outcome(row: Sequence[Any]) -> Outcome:
    fate, why, versions, changed, *of = row
    line, name, request_id = of or (0, None, None)
    stage, reason, error_code = json.loads(why) if why and FATES[fate] is not Fate.STORED else ("", "", "")
    enriched_by = tuple(dict.fromkeys(json.loads(version) for version in versions.split("\n") if version))
    found = name.decode(errors="surrogatepass") if name else None
    return Outcome(FATES[fate], stage, reason, error_code, enriched_by, bool(changed), line, found, request_id)


def _numbers(fates: Iterable[Fate]) -> str:
    return ", ".join(str(number) for number, fate in FATES.items() if fate in fates)


def _why(*told: str) -> str:
    """Write texts that may hold anything, also what is no UTF-8."""
    return json.dumps(told)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _key(record_id: str, timestamp: str) -> bytes:
    return _digest(canonical([record_id, timestamp]))


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
