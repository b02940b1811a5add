r"""The dead letters of a batch's refused records, each as Lambda would write it for a record that came alone.

Lambda's format: the body is the event, and the attributes are RequestID, ErrorCode and ErrorMessage ("Capturing records
of Lambda asynchronous invocations"). SQS takes the characters of XML 1.0 only (SendMessageBatch): in the body, which is
JSON, others are written as \uXXXX.

A later stage's event holds the batch at each level: what each stage before was given, and what it returned. Of each
level, a letter has only the records of its record's id, so that all letters together are about as large as the batch.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from record import InvalidRecord

from .aws import AFTER_FAULT, AFTER_THROTTLING, Client, ConfigurationError, ServiceError, from_environment
from .bulk import send_all

MESSAGES = 10  # a request
REQUEST_BYTES = 1_048_576  # of bodies and attributes, of a message and of all that a request holds
MAX_ERROR_MESSAGE_BYTES = 1024  # as Lambda cuts it
# Records of one id that a letter has of a level as they are. Of more, it has those that its record can be made of.
FEW = 4
MAX_REST_BYTES = 4096  # of what a stage was given, if that is no batch

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STRING_OR_INFINITY = re.compile(r'"(?:[^"\\]|\\.)*"|Infinity')


class Letter(NamedTuple):
    """A dead letter, and its size in bytes as SQS counts it."""

    body: str
    attributes: dict[str, dict[str, str]]
    size: int


def send(event: object, refused: Iterable[tuple[object, Exception]], *, request_id: str, deadline: float) -> None:
    """Send a letter for each refused record of an event.

    A letter that is too large for SQS fails the event: a record of nearly 1 MiB has no room for the attributes, and
    Lambda itself could not write its letter either.

    Raises:
        ServiceError: a letter could not be sent, also not after the retries, or the deadline has passed.
        ConfigurationError: the environment lacks what a request needs.
    """
    letters = (_letter(body, str(refusal), request_id) for body, refusal in _bodies(event, refused))
    send_all(letters, _send, at_most=MESSAGES, bytes_at_most=REQUEST_BYTES, deadline=deadline)


def _bodies(event: object, refused: Iterable[tuple[object, Exception]]) -> Iterator[tuple[str, Exception]]:
    """Yield the event that each record would have been alone."""
    if not isinstance(event, dict):
        yield from ((_encode(record), refusal) for record, refusal in refused)
        return
    before = _reducer(event["requestPayload"]) if "requestPayload" in event else None
    for record, refusal in refused:
        reduced = {"requestPayload": before(record)} if before else {}
        yield _encode({**event, **reduced, "responsePayload": record}), refusal


def _reducer(event: Any) -> Callable[[object], object]:
    """Return a function that reduces what a stage was given to what a later record can be made of."""
    if isinstance(event, list):
        return _finder(event)
    if isinstance(event, dict) and isinstance(event.get("responsePayload"), list):
        found, before = _finder(event["responsePayload"]), _reducer(event.get("requestPayload"))
        return lambda record: {**event, "requestPayload": before(record), "responsePayload": found(record)}
    rest = event if len(_encode(event)) <= MAX_REST_BYTES else None
    return lambda record: rest


def _finder(records: list[object]) -> Callable[[object], list[object]]:
    """Return a function that finds the records that a later one can be made of: those of its id.

    A few are all kept. Of many, those with its data and with its timestamp or none are kept, and of these only a few,
    because they are alike.
    """
    of_id, alike = defaultdict(list), defaultdict(list)
    for record in records:
        of_id[_id(record)].append(record)
    for record in (record for same in of_id.values() if len(same) > FEW for record in same):
        alike[_content(record)].append(record)

    def find(record: object) -> list[object]:
        same = of_id.get(_id(record), [])
        if len(same) <= FEW:
            return same
        content = _content(record)
        return [*alike.get(content, ()), *alike.get((*content[:-1], None), ())][:FEW]

    return find


def _id(record: object) -> str | None:
    found = record.get("id") if isinstance(record, dict) else None
    return found if isinstance(found, str) else None


def _content(record: object) -> tuple[str | None, str, str | None]:
    """Return what tells records apart: the id, the data and, if there is one, the timestamp, as JSON."""
    fields = record if isinstance(record, dict) else {"data": record}
    return _id(record), _encode(fields.get("data")), _encode(fields["timestamp"]) if "timestamp" in fields else None


def _letter(body: str, reason: str, request_id: str) -> Letter:
    message = _NO_XML.sub("\ufffd", reason).encode()[:MAX_ERROR_MESSAGE_BYTES].decode(errors="ignore")
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message},
    }
    size = sum(len(name) + sum(len(text.encode()) for text in value.values()) for name, value in attributes.items())
    return Letter(body, attributes, len(body.encode()) + size)


def _encode(value: object) -> str:
    """Return JSON that SQS takes; a number too large for Python, which Infinity stands for, stays a number of JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise InvalidRecord("the event must be a value that can be encoded as JSON") from None
    if "Infinity" in text:
        text = _STRING_OR_INFINITY.sub(lambda found: "1e999" if found[0] == "Infinity" else found[0], text)
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _send(part: list[Letter]) -> Iterator[tuple[Letter, ServiceError]]:
    """Send one request; return what failed of it."""
    entries = [
        {"Id": str(index), "MessageBody": letter.body, "MessageAttributes": letter.attributes}
        for index, letter in enumerate(part)
    ]
    answer = client().call("SendMessageBatch", {"QueueUrl": _queue_url(), "Entries": entries})
    for failure in answer.get("Failed", ()):
        code = failure["Code"]
        backoff = AFTER_THROTTLING if "Throttl" in code else None if failure["SenderFault"] else AFTER_FAULT
        yield part[int(failure["Id"])], ServiceError(code, failure.get("Message", "no message"), backoff=backoff)


@cache
def client() -> Client:
    """Return the client, which is made once."""
    return from_environment("sqs")


def _queue_url() -> str:
    url = os.environ.get("DEAD_LETTER_QUEUE_URL")
    if not url:
        raise ConfigurationError("DEAD_LETTER_QUEUE_URL must be set to the URL of the dead-letter queue")
    return url
