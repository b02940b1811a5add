"""The record contract: its fields, how each is checked and stored, and the error for everything else."""

from __future__ import annotations

import time
from collections import namedtuple

from core.data import canonical, schema_fault

Attribute = dict[str, object]  # a value as DynamoDB has it, such as {"S": "text"}

MAX_TIMESTAMP = 10**38 - 1  # DynamoDB's numbers hold 38 digits exactly
MAX_DEPTH = 400  # of nested arrays and objects: see core/json_faults.py
MAX_ITEM_BYTES = 409_600  # DynamoDB's 400 KB

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


class Field(namedtuple("Field", ("name", "kind", "required", "at_most"), defaults=(False, MAX_ITEM_BYTES))):
    """A field: its name (letters, digits and _), its kind, whether every record has it, and the most bytes it takes.

    Its kind is a function of the field and a value, which returns the value as DynamoDB stores it.
    """

    __slots__ = ()


def text(field: Field, value: object) -> Attribute:
    """Take a string, not empty, of at most the field's bytes in UTF-8."""
    if not isinstance(value, str):
        raise InvalidRecord(f"{field.name} must be a string (got {_kind(value)})")
    if not value:
        raise InvalidRecord(f"{field.name} must not be empty")
    size = _utf8_bytes(field.name, value)
    if size > field.at_most:
        raise InvalidRecord(f"{field.name} must be at most {field.at_most} bytes of UTF-8 (got {size})")
    return {"S": value}


def milliseconds(field: Field, value: object) -> Attribute:
    """Take a time in ms since the epoch."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRecord(f"{field.name} must be an integer of milliseconds (got {_kind(value)})")
    if value <= 0:
        raise InvalidRecord(f"{field.name} must be positive")
    if value > MAX_TIMESTAMP:
        raise InvalidRecord(f"{field.name} must have at most 38 digits")
    return {"N": str(value)}


def boolean(field: Field, value: object) -> Attribute:
    """Take true or false."""
    if not isinstance(value, bool):
        raise InvalidRecord(f"{field.name} must be true or false (got {_kind(value)})")
    return {"BOOL": value}


def json_value(field: Field, value: object) -> Attribute:
    """Take any JSON but null. It is stored as canonical JSON: the same value always has the same text."""
    if value is None:
        raise InvalidRecord(f"missing {field.name} field")
    try:
        return {"S": canonical(value, levels=MAX_DEPTH)}
    except ValueError as fault:
        raise InvalidRecord(f"{field.name} {fault}") from None


ID = Field("id", text, required=True, at_most=2048)  # DynamoDB's limit for a partition key

# What producers send: checked in this order, handed on by every stage, stored, and compared with what is stored.
FIELDS = (
    Field("data", json_value, required=True),
    ID,
    Field("timestamp", milliseconds),  # a record without one is stamped
)

# What stages add: not taken from producers, handed on by the later stages, stored, and not compared.
ENRICHED = Field("enriched", boolean, at_most=1)
ADDED = (
    ENRICHED,
    Field("enrichedAt", milliseconds, at_most=20),
    Field("version", text, at_most=16),
)
ENRICHMENT = ("enriched", "enrichedAt", "version")  # all of it is stored, or nothing

_ADDED_BYTES = sum(len(field.name) + field.at_most for field in ADDED)


class Record(namedtuple("Record", ("id", "timestamp", "data", "fields", "own"))):
    """A valid record, made by `parse` only: id, timestamp (ms since the epoch), data, and all its fields by name.

    `own` is what its producer sent, as DynamoDB stores it.
    """

    __slots__ = ()


def now() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


def parse(body: object, *, added: bool = False) -> Record:
    """Read a record; stamp it if it has no timestamp; leave out fields that are not declared.

    Without `added`, the record is as its producer sent it, and its data is checked by the schema, if there is one. With
    `added`, it keeps what stages added; the processor checks that.
    """
    given = {"timestamp": now(), **_object(body)}
    fields, own = {}, {}
    for field in FIELDS:
        if field.name in given:
            fields[field.name] = given[field.name]
            own[field.name] = field.kind(field, given[field.name])
        elif field.required:
            raise InvalidRecord(f"missing {field.name} field")
    _check_size(own)
    if not added and (fault := schema_fault(fields["data"])):
        raise InvalidRecord(fault)
    if added:
        fields.update({field.name: given[field.name] for field in ADDED if field.name in given})
    return Record(fields["id"], fields["timestamp"], fields["data"], fields, own)


def unwrap(event: object) -> object:
    """Return the result of the stage before if the event is Lambda's destination envelope, else the event itself."""
    if not isinstance(event, dict):
        return event
    if "responsePayload" in event:
        return event["responsePayload"]
    if "requestContext" in event:
        raise InvalidRecord("envelope without responsePayload")
    return event


def known_id(body: object) -> str | None:
    """Return the id of a record, also of a refused one; None if it has no valid id."""
    try:
        return str(text(ID, _object(body).get("id"))["S"])
    except InvalidRecord:
        return None


def _object(event: object) -> dict[object, object]:
    if not isinstance(event, dict):
        raise InvalidRecord(f"a record must be a JSON object (got {_kind(event)})")
    return event


def _check_size(own: dict[str, Attribute]) -> None:
    """Refuse an item that DynamoDB would refuse: it counts names, UTF-8, and a byte for two digits plus one."""
    size = _ADDED_BYTES
    for name, attribute in own.items():
        for kind, value in attribute.items():
            size += len(name) + (_utf8_bytes(name, str(value)) if kind == "S" else (len(str(value)) + 1) // 2 + 1)
    if size > MAX_ITEM_BYTES:
        raise InvalidRecord(f"the stored item must be at most {MAX_ITEM_BYTES} bytes (got {size})")


def _utf8_bytes(name: str, value: str) -> int:
    if value.isascii():
        return len(value)
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        raise InvalidRecord(f"{name} must not hold a lone surrogate, which UTF-8 cannot encode") from None


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "no JSON value")
