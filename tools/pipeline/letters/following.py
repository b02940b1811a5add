"""Following events that were sent again, until their records are stored or are dead letters again."""

import json
from collections.abc import Iterable
from threading import Lock
from typing import Any, NamedTuple

from pipeline.letters.queue import batches
from pipeline.letters.selection import Finding
from pipeline.records.bucket import Bucket, version_of
from pipeline.records.dead import digest
from pipeline.records.json_values import canonical
from pipeline.records.table import KEYS, Key, Table
from pipeline.stack import ENTRY, RESULT


class _Sent(NamedTuple):
    event: str  # the event's request id
    key: Key | None
    data: int  # its digest


class _File(NamedTuple):
    """A file of which an event was sent."""

    key: str
    version: str
    since: int
    """When its letter was written, in ms since the epoch: an older receipt is that of the attempt that failed."""


class Following:
    """The records of events, from when each was sent; for any number of threads."""

    def __init__(self, stages: Iterable[str], *, keys_only: bool = False) -> None:
        """Follow events of these stages: those that records pass; perhaps whatever data is stored under their keys."""
        self._stages, self._keys_only = frozenset(stages), keys_only
        self._open: dict[_Sent, None] = {}
        self._lock = Lock()
        self.stored = 0
        self.came_back = 0
        self._files: dict[str, _File] = {}
        self.whole = self.not_whole = 0  # files that have a receipt: with each line stored, or not
        self.not_followed = 0  # events that hold neither records nor a file

    @property
    def open(self) -> int:
        """Records and files that are neither stored nor back as dead letters."""
        return len(self._open) + len(self._files)

    def add(self, request_id: str, stage: str, event: bytes) -> None:
        """Note an event that Lambda accepted for a stage."""
        if stage not in self._stages:
            with self._lock:
                self.not_followed += 1
            return
        document = json.loads(event)
        records = document if stage == ENTRY else document[RESULT]
        with self._lock:
            for record in (isinstance(records, list) and records) or [records]:
                self._open[_Sent(request_id, Key.of(record), _digest(record))] = None

    def add_file(self, message_id: str, finding: Finding) -> None:
        """Note a letter about a file, by the id of the message that was sent for it."""
        key, version = finding.record_id, version_of(finding.letter.event)
        with self._lock:
            if key is None or version is None:
                self.not_followed += 1
            else:
                self._files[message_id] = _File(key, version, finding.letter.sent)

    def look_at_files(self, bucket: Bucket) -> None:
        """Settle the files that have a receipt since."""
        for message_id, file in list(self._files.items()):
            receipt = bucket.receipt(file.key, file.version)
            if receipt and receipt.began > file.since:
                del self._files[message_id]
                self.whole += receipt.is_whole
                self.not_whole += not receipt.is_whole

    def look_at(self, table: Table) -> None:
        """Settle the records that are stored."""
        for some in batches([sent for sent in self._open if sent.key], KEYS):
            items = table.get({sent.key for sent in some if sent.key})
            data = {key: digest(b"data", json.loads(item.data)) for key, item in items.items() if item.data}
            self.stored += self._settle(
                sent for sent in some if sent.key in data and (self._keys_only or data[sent.key] == sent.data)
            )

    def look_through(self, found: Iterable[Finding]) -> None:
        """Settle the records that are dead letters again."""
        of_event: dict[str, list[_Sent]] = {}
        for sent in self._open:
            of_event.setdefault(sent.event, []).append(sent)
        for finding in found:
            for request_id in finding.attribution.request_ids:
                self.came_back += self._files.pop(request_id, None) is not None
                back = [sent for sent in of_event.get(request_id, ()) if _is_of(finding.attribution.record, sent)]
                self.came_back += self._settle(back)

    def _settle(self, sent: Iterable[_Sent]) -> int:
        return sum(self._open.pop(one, False) is None for one in sent)


def _is_of(record: Any, sent: _Sent) -> bool:
    """Return whether a letter's record, or one of its batch, is one that was sent: by its key, if it has one."""
    if isinstance(record, list):
        return any(_is_of(one, sent) for one in record) or not record
    return sent.key is None or Key.of(record) in (sent.key, None)


def _digest(record: Any) -> int:
    return digest(b"data", record.get("data") if isinstance(record, dict) else canonical(record))
