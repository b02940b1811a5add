"""The record contract: what a record is, how one is read from an event, and the error for everything else.

`typing` is not imported here, nor by the validator and the enricher: 3 ms of the 38 that their cold start takes.
"""

from __future__ import annotations

import json
import time
from collections import namedtuple

MAX_ID_BYTES = 2048  # DynamoDB's limit for a partition key
MAX_TIMESTAMP = 10**38 - 1  # DynamoDB's numbers hold 38 digits exactly
# Lambda's Python runtime decodes events with simplejson, whose pure Python form survives 490 levels, and the envelopes
# need some of them; json and the compiled simplejson survive more.
MAX_DEPTH = 400
MAX_ITEM_BYTES = 409_600  # DynamoDB's 400 KB
MAX_VERSION_BYTES = 16

# What the enrichment adds to an item at most, by DynamoDB's sizing: the three names, a boolean, a number, the version.
_ENRICHMENT_BYTES = len("enriched" + "enrichedAt" + "version") + 1 + 20 + MAX_VERSION_BYTES

_canonical = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_lenient = json.JSONEncoder(allow_nan=True, sort_keys=True).encode

_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


class InvalidRecord(ValueError):  # noqa: N818 - the name says it, and it is the errorType that operators read
    """An event holds no valid record; the message is one sentence and never holds the data."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"Invalid data: {fault}")


class Record(namedtuple("Record", ("id", "timestamp", "data", "text"))):
    """A valid record: id, timestamp (ms since the epoch), data, and text, which is data as canonical JSON.

    Made by `parse` only. The same data always has the same text.
    """

    __slots__ = ()


class Enrichment(namedtuple("Enrichment", ("at", "version"))):
    """What the enricher added to a record: when (ms since the epoch), and the version of the enrichment."""

    __slots__ = ()


def now() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


def parse(event: object) -> Record:
    """Read a bare record; stamp it if it has no timestamp; leave out fields that a record does not have."""
    fields = _object(event)
    if fields.get("data") is None:
        raise InvalidRecord("missing data field")
    text = _text(fields["data"])
    record = Record(_id(fields), _timestamp(fields), fields["data"], text)
    _check_item_size(record)
    return record


def unwrap(event: object) -> object:
    """Return the result of the stage before if the event is Lambda's destination envelope, else the event itself."""
    if not isinstance(event, dict):
        return event
    if "responsePayload" in event:
        return event["responsePayload"]
    if "requestContext" in event:
        raise InvalidRecord("envelope without responsePayload")
    return event


def parse_enrichment(event: object) -> Enrichment | None:
    """Read what the enricher added to a record; None if the record is not enriched."""
    fields = _object(event)
    enriched = fields.get("enriched", False)
    if not isinstance(enriched, bool):
        raise InvalidRecord(f"enriched must be true or false (got {_kind(enriched)})")
    if not enriched:
        return None
    if "enrichedAt" not in fields:
        raise InvalidRecord("missing enrichedAt field in an enriched record")
    return Enrichment(_milliseconds("enrichedAt", fields["enrichedAt"]), _version(fields))


def known_id(event: object) -> str | None:
    """Return the id of the record in any event, a refused one too; None if it has no valid id."""
    try:
        return _id(_object(unwrap(event)))
    except InvalidRecord:
        return None


def _object(event: object) -> dict[object, object]:
    if not isinstance(event, dict):
        raise InvalidRecord(f"a record must be a JSON object (got {_kind(event)})")
    return event


def _id(fields: dict[object, object]) -> str:
    if "id" not in fields:
        raise InvalidRecord("missing id field")
    return _string("id", fields["id"], at_most=MAX_ID_BYTES)


def _version(fields: dict[object, object]) -> str:
    if "version" not in fields:
        raise InvalidRecord("missing version field in an enriched record")
    return _string("version", fields["version"], at_most=MAX_VERSION_BYTES)


def _timestamp(fields: dict[object, object]) -> int:
    return _milliseconds("timestamp", fields["timestamp"]) if "timestamp" in fields else now()


def _string(name: str, value: object, *, at_most: int) -> str:
    if not isinstance(value, str):
        raise InvalidRecord(f"{name} must be a string (got {_kind(value)})")
    if not value:
        raise InvalidRecord(f"{name} must not be empty")
    size = _utf8_bytes(name, value)
    if size > at_most:
        raise InvalidRecord(f"{name} must be at most {at_most} bytes of UTF-8 (got {size})")
    return value


def _milliseconds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRecord(f"{name} must be an integer of milliseconds (got {_kind(value)})")
    if value <= 0:
        raise InvalidRecord(f"{name} must be positive")
    if value > MAX_TIMESTAMP:
        raise InvalidRecord(f"{name} must have at most 38 digits")
    return value


def _text(data: object) -> str:
    try:
        text = _canonical(data)
    except RecursionError:
        raise InvalidRecord(f"data must be nested at most {MAX_DEPTH} levels deep") from None
    except (TypeError, ValueError):
        raise InvalidRecord(_why_not_json(data)) from None
    if _nested_too_deep(data, text):
        raise InvalidRecord(f"data must be nested at most {MAX_DEPTH} levels deep")
    return text


def _why_not_json(data: object) -> str:
    try:
        _lenient(data)
    except (TypeError, ValueError, RecursionError):
        return "data must be a value that can be encoded as JSON"
    return "data must not hold NaN or Infinity"


def _nested_too_deep(data: object, text: str) -> bool:
    """Walk the data level by level, without recursion, unless its text has too few brackets to be nested too deep."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    """Return the arrays and objects directly in an array or object."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [child for child in values if isinstance(child, (dict, list, tuple))]


def _check_item_size(record: Record) -> None:
    """Refuse what DynamoDB would refuse, by its own sizing: names and UTF-8 texts, and two digits a byte plus one."""
    number = (len(str(record.timestamp)) + 1) // 2 + 1
    texts = _utf8_bytes("id", record.id) + _utf8_bytes("data", record.text)
    size = len("id" + "timestamp" + "data") + number + texts + _ENRICHMENT_BYTES
    if size > MAX_ITEM_BYTES:
        raise InvalidRecord(f"the stored item must be at most {MAX_ITEM_BYTES} bytes (got {size})")


def _utf8_bytes(name: str, text: str) -> int:
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidRecord(f"{name} must not hold a lone surrogate, which UTF-8 cannot encode") from None


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "no JSON value")
