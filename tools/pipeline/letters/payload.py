"""What is sent when a dead letter is sent again: what that stage was given, or nothing.

The stage that failed gets the letter's body, byte for byte; an earlier one gets the part of the body that is its event.
Only a record that the entry was given without a timestamp gets one, because it would be stored again each time that it
is sent: the validator's or, if it never got so far, the time of its letter. An event may be a batch, and the letter may
be about one of its records alone.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.records.json_text import Part, member, parts, replaced
from pipeline.records.timestamps import lacks_timestamp, stamped
from pipeline.stack import ENTRY, EVENT, RESULT, Attribution, DeadLetter, inside


class NotGivenError(ValueError):
    """A stage was given nothing that a letter is about; the message says why."""


def payloads(letter: DeadLetter, found: Attribution, target: str, *, split: bool = False) -> list[bytes]:
    """Return the event for a stage or, of a batch to split, one for each record; NotGivenError if there is none."""
    if target not in found.given:
        raise NotGivenError(f"it failed at the {found.stage}, so the {target} was never given its event")
    try:
        return [text.encode() for text in _texts(letter, found, target, split=split)]
    except RecursionError:
        raise NotGivenError("its event is nested too deep to be taken apart") from None


def as_sent(letter: DeadLetter, found: Attribution) -> str | None:
    """Return the record or the batch that a letter is about, as its producer sent it; None if it is not known."""
    if ENTRY not in found.given:
        return None
    try:
        (text,) = _texts(letter, found, ENTRY, split=False, stamp=False)
    except (NotGivenError, RecursionError):
        return None
    return text


def _texts(letter: DeadLetter, found: Attribution, target: str, *, split: bool, stamp: bool = True) -> list[str]:
    text, event = _event_text(letter, found, target), found.given[target]
    if found.is_beside:
        return [text]
    if target == ENTRY:
        place, documents = Part("", 0, len(text)), event
    else:
        place, documents = member(text, RESULT), event[RESULT]
    records = documents if isinstance(documents, list) else [documents]
    inner = text[place.start : place.end]
    found_parts = list(parts(inner)) if isinstance(documents, list) else [Part("", 0, len(inner))]
    written = [inner[part.start : part.end] for part in found_parts]
    stamps = _stamps(letter, found, records)
    if target == ENTRY and stamp:
        given = zip(written, records, stamps, strict=True)
        written = [stamped(one, at) if lacks_timestamp(record) else one for one, record, at in given]
    if isinstance(documents, list) and target != found.stage and not isinstance(found.record, list):
        chosen = [written[_index_of(found.record, records, stamps)]]
    elif split and isinstance(documents, list) and documents:
        chosen = written
    else:
        chosen = [replaced(inner, found_parts, written)]
    return [replaced(text, [place], [one]) for one in chosen]


def _event_text(letter: DeadLetter, found: Attribution, target: str) -> str:
    """Follow the body back to the event of a stage, as far as the attribution went."""
    text = letter.body
    for _ in range(list(found.given).index(target)):
        event = member(text, EVENT)
        text = text[event.start : event.end]
    return text


def _stamps(letter: DeadLetter, found: Attribution, records: Sequence[Any]) -> list[int]:
    """Return the timestamps for records that the entry was given without one."""
    stamps = [letter.sent + index for index in range(len(records))]
    if len(found.given) > 1:
        results = list(found.given.values())[-2][RESULT]
        for index, result in _matched(records, results if isinstance(results, list) else [results]):
            if (timestamp := _timestamp(result)) is not None:
                stamps[index] = timestamp
    return stamps


def _matched(records: Sequence[Any], results: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the validator's results, with the places of their records: the same order, without the refused."""
    if len(records) == len(results):
        yield from enumerate(results)
        return
    after = 0
    for result in results:
        places = (index for index in range(after, len(records)) if _may_be(records[index], result))
        if (index := next(places, None)) is not None:
            yield index, result
            after = index + 1


def _may_be(record: Any, result: Any) -> bool:
    if not (isinstance(record, dict) and isinstance(result, dict)):
        return False
    same = record.get("id") == result.get("id") and _data(record) == _data(result)
    return same and (lacks_timestamp(record) or record["timestamp"] == result.get("timestamp"))


def _index_of(record: Any, records: Sequence[Any], stamps: Sequence[int]) -> int:
    """Return the place of a record in its batch: by its key and, where others have that too, by its data."""
    places = []
    if isinstance(record, dict):
        for index, (one, stamp) in enumerate(zip(records, stamps, strict=True)):
            key = (one.get("id"), one.get("timestamp", stamp)) if isinstance(one, dict) else None
            if key == (record.get("id"), record.get("timestamp")):
                places.append(index)
    if len(places) > 1:
        places = [index for index in places if _data(records[index]) == _data(record)]
    if not places:
        raise NotGivenError("nothing says which record of its batch it is about")
    return places[0]


def _data(record: Any) -> str:
    """Return a record's data as text: 1, 1.0 and true are equal to Python, and no less different."""
    return json.dumps(record.get("data"), sort_keys=True)


def _timestamp(result: Any) -> int | None:
    timestamp = inside(result, "timestamp")
    return timestamp if isinstance(timestamp, int) and not isinstance(timestamp, bool) else None
