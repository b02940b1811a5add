r"""The dead letters of a batch's refused records, each alone, as Lambda would have written it had it come alone.

Lambda's format: the body is the event, and the attributes are RequestID, ErrorCode and ErrorMessage ("Capturing records
of Lambda asynchronous invocations"). SQS takes the characters of XML 1.0 only (SendMessageBatch): in the body, which is
JSON, others are written as \uXXXX.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from record import InvalidRecord

from .aws import AFTER_FAULT, AFTER_THROTTLING, Client, ConfigurationError, ServiceError, from_environment
from .bulk import send_all

MESSAGES = 10  # a request
REQUEST_BYTES = 1_048_576  # of bodies and attributes, of a message and of all that a request holds
MAX_ERROR_MESSAGE_BYTES = 1024  # as Lambda cuts it

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STRING_OR_INFINITY = re.compile(r'"(?:[^"\\]|\\.)*"|Infinity')


class Letter(NamedTuple):
    """A dead letter, and its size in bytes as SQS counts it."""

    body: str
    attributes: dict[str, dict[str, str]]
    size: int


def send(event: object, refused: Iterable[tuple[object, InvalidRecord]], *, request_id: str, deadline: float) -> None:
    """Send a letter for each refused record of an event.

    A letter that is too large for SQS fails the event: a record of nearly 1 MiB has no room for the attributes, and
    Lambda itself could not write its letter either.

    Raises:
        ServiceError: a letter could not be sent, also not after the retries, or the deadline has passed.
        ConfigurationError: the environment lacks what a request needs.
    """
    letters = (_letter(body, str(refusal), request_id) for body, refusal in _bodies(event, refused))
    send_all(letters, _send, at_most=MESSAGES, bytes_at_most=REQUEST_BYTES, deadline=deadline)


def _bodies(event: object, refused: Iterable[tuple[object, InvalidRecord]]) -> Iterator[tuple[str, InvalidRecord]]:
    """Return the event that each record would have been alone; the rest of an envelope is encoded once."""
    head = tail = ""
    if isinstance(event, dict):
        rest = {name: value for name, value in event.items() if name != "responsePayload"}
        head, tail = _encode({**rest, "responsePayload": None}).removesuffix("null}"), "}"
    for record, refusal in refused:
        yield f"{head}{_encode(record)}{tail}", refusal


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
