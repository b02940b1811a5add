"""The records that are dead letters, as digests of what was submitted, with why each is one.

What the entry was given is at the end of the chain of events in a letter, whatever the stages made of it. A batch may
be there, of which the letter is about one record: that of its key and, if several have the key, of its data.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from pipeline.records.json_values import canonical
from pipeline.records.timestamps import lacks_timestamp
from pipeline.stack import Attribution


class Why(NamedTuple):
    """Why a record is a dead letter, or why a line was refused."""

    stage: str = ""  # the stage that failed; empty for a line that was refused
    reason: str = ""
    error_code: str = ""
    request_id: str = ""  # of the invocation that failed


NO_REASON = Why()


class DeadRecords:
    """Why records are dead letters, to be found by what was submitted."""

    def __init__(self) -> None:
        self._whys: dict[int, Why] = {}
        self._reasons: dict[str, str] = {}

    def add(self, found: Attribution, why: Why) -> None:
        """Note the records of a letter, if a stage of the pipeline sent it."""
        if found.stage is None or found.is_beside:
            return
        why = why._replace(reason=self._reasons.setdefault(why.reason, why.reason))
        for document in origins(found):
            self._whys.setdefault(_whole(document), why)
            self._whys.setdefault(_unstamped(document), why)

    def find(self, document: Any) -> Why | None:
        """Return why a submitted record is a dead letter; None if it is none."""
        if not self._whys:
            return None
        found = self._whys.get(_whole(document))  # whoever submitted one without a timestamp may have stamped it
        return self._whys.get(_unstamped(document)) if found is None and lacks_timestamp(document) else found


def origins(found: Attribution) -> Iterator[Any]:
    """Yield the submitted records that a letter is about."""
    submitted = list(found.given.values())[-1]
    if not isinstance(submitted, list) or not submitted:
        yield submitted
    elif len(found.given) == 1:
        yield from submitted
    else:
        record = found.record
        for one in record if isinstance(record, list) else [record]:
            yield from _origins_in(submitted, one)


def _origins_in(batch: Sequence[Any], record: Any) -> Sequence[Any]:
    """Return the records of a batch that a later stage's record can have come of."""
    if not isinstance(record, dict):
        return []
    times = (None, record.get("timestamp"))
    of_id = [one for one in batch if isinstance(one, dict) and one.get("id") == record.get("id")]
    of_key = [one for one in of_id if one.get("timestamp") in times]
    if len(of_key) < 2:
        return of_key
    data = canonical(record.get("data"))
    return [one for one in of_key if canonical(one.get("data")) == data] or of_key


def _whole(document: Any) -> int:
    return digest(b"submitted", document)


def _unstamped(document: Any) -> int:
    fields = document if isinstance(document, dict) else {}
    return digest(b"unstamped", [fields.get("id"), fields.get("data")])


def digest(kind: bytes, document: Any) -> int:
    """Return a short digest of a document among those of its kind."""
    try:
        text = canonical(document)
    except RecursionError:  # Lambda would not take it either
        return 0
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8, person=kind).digest(), "big")
