"""Verifying: for each line of an input, whether it is stored as it was sent, waits as a dead letter, or is missing.

Lambda's queue may delete events under overload without a word, so the last proof is a comparison:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

Items are read by their keys, a hundred a request, and nothing is kept of them; of the dead letters, some bytes each.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any, NamedTuple

from pipeline.errors import AwsError
from pipeline.letters.queue import batches
from pipeline.letters.selection import Finding
from pipeline.records.lines import InvalidLineError, Line, event
from pipeline.records.timestamps import lacks_timestamp
from pipeline.stack import ENTRY
from pipeline.stack.aws import explained
from pipeline.stack.rate_limit import RateLimiter

KEYS = 100
"""Keys in one call, DynamoDB's limit."""
ATTEMPTS = 10
"""Calls in which DynamoDB may leave items out, as it does beyond 16 MB and where the table has no capacity left."""

FIRST_DELAY = 0.1
"""Seconds; doubled from attempt to attempt."""
LONGEST_DELAY = 5.0
"""Seconds."""

_NO_DIGEST = b""
_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


class Status(Enum):
    """What has become of a line."""

    STORED = "stored"
    LETTER = "waiting as dead letters"
    MISSING = "missing"
    DIFFERENT = "stored with other data"
    UNKNOWN = "not known"


class Key(NamedTuple):
    """An item's key."""

    id: str
    timestamp: int

    @classmethod
    def of(cls, document: Any) -> Key | None:
        """Return the key that a record is stored under; None for what can't be stored."""
        if not isinstance(document, dict):
            return None
        record_id, timestamp = document.get("id"), document.get("timestamp")
        if not isinstance(record_id, str) or type(timestamp) is not int or not 0 < timestamp < 10**38:
            return None
        if not 0 < len(record_id.encode(errors="surrogatepass")) <= 2048 or not _is_utf8(record_id):
            return None
        return cls(record_id, timestamp)


class Sent(NamedTuple):
    """A line, and what was sent for it."""

    line: Line
    content: bytes
    document: Any
    key: Key | None
    is_json: bool = True

    @classmethod
    def of(cls, line: Line, *, started: int | None) -> Sent:
        """Return what was sent for a line by a submission that began at `started`, if that is known."""
        try:
            content = event(line, started=started)
        except InvalidLineError:
            return cls(line, line.content, None, None, is_json=False)
        document = json.loads(content)
        return cls(line, content, document, Key.of(document))


@dataclass
class Letters:
    """The records that wait as dead letters, as digests."""

    keys_only: bool = False
    """Whether a record is known by its key alone, whatever its data."""
    _digests: set[bytes] = field(default_factory=set)

    def add(self, finding: Finding) -> None:
        """Note the records of a letter, if a stage of the pipeline sent it."""
        if finding.attribution.stage is None:
            return
        record = finding.attribution.record
        for one in [record, *record] if isinstance(record, list) else [record]:
            if finding.attribution.stage == ENTRY:
                self._digests.add(_digest(b"submitted", one))
            elif isinstance(one, dict):
                self._digests.add(self._key(one, one.get("timestamp")))
            if isinstance(one, dict):
                self._digests.add(_digest(b"unstamped", [one.get("id"), one.get("data")]))
        self._digests.discard(_NO_DIGEST)

    def hold(self, sent: Sent) -> bool:
        """Return whether a line is among the records; one without a timestamp is found by its id and data."""
        digests = {_digest(b"submitted", sent.document)} if sent.is_json else set()
        if sent.key:
            digests.add(self._key(sent.document, sent.key.timestamp))
        if lacks_timestamp(sent.document):
            digests.add(_digest(b"unstamped", [sent.document.get("id"), sent.document.get("data")]))
        return not self._digests.isdisjoint(digests)

    def _key(self, record: Mapping[str, Any], timestamp: Any) -> bytes:
        return _digest(b"key", [record.get("id"), timestamp, None if self.keys_only else record.get("data")])


@dataclass
class Verification:
    """A comparison of lines with a table and its pipeline's dead letters."""

    client: Any
    """Of DynamoDB."""
    table: str
    letters: Letters
    rate: RateLimiter
    """Keys a second."""
    started: int | None = None
    """When the submission began that stamped the records, in ms since the epoch."""
    keys_only: bool = False
    """Whether it is enough that there is an item, whatever its data."""

    def run(self, lines: Iterable[Line]) -> Iterator[tuple[Sent, Status]]:
        """Yield what has become of each line, in order.

        Raises:
            AwsError: The table can't be read.
        """
        for some in batches(lines, KEYS):
            sent = [Sent.of(line, started=self.started) for line in some]
            stored = self._read({one.key for one in sent if one.key})
            yield from ((one, self._judge(one, stored)) for one in sent)

    def _judge(self, sent: Sent, stored: Mapping[Key, str]) -> Status:
        data = stored.get(sent.key) if sent.key else None
        if data is not None and (self.keys_only or data == _canonical(sent.document.get("data"))):
            return Status.STORED
        if self.letters.hold(sent):
            return Status.LETTER
        if data is not None:
            return Status.DIFFERENT
        return Status.UNKNOWN if lacks_timestamp(sent.document) else Status.MISSING

    def _read(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Return the data of the items that are there."""
        wanted = [{"id": {"S": key.id}, "timestamp": {"N": str(key.timestamp)}} for key in keys]
        found: dict[Key, str] = {}
        for attempt in range(ATTEMPTS):
            if not wanted:
                return found
            self.rate.take_all(len(wanted))
            answer = self._call(wanted)
            items = answer["Responses"].get(self.table, [])
            for item in items:
                found[Key(item["id"]["S"], int(item["timestamp"]["N"]))] = item.get("data", {}).get("S", "")
            wanted = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
            if wanted:
                self.rate.throttled()
                time.sleep(min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))
        raise AwsError(f"DynamoDB left out some items {ATTEMPTS} times: try again later, or with a lower --rate.")

    def _call(self, keys: Sequence[Any]) -> Any:
        request = {
            "Keys": keys,
            "ConsistentRead": True,
            "ProjectionExpression": "#id, #timestamp, #data",
            "ExpressionAttributeNames": {"#id": "id", "#timestamp": "timestamp", "#data": "data"},
        }
        with explained():
            return self.client.batch_get_item(RequestItems={self.table: request})


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(kind: bytes, document: Any) -> bytes:
    try:
        text = _canonical(document)
    except RecursionError:  # Lambda would not take it either
        return _NO_DIGEST
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16, person=kind).digest()
