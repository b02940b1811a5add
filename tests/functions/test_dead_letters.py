"""Dead letters of single records: Lambda's own format, within SQS' limits, all of them or an error."""

import json
import math
from typing import Any

import pytest

from core import aws, dead_letters
from core.aws import ServiceError
from record import InvalidRecord

from .conftest import REQUEST_ID

REFUSAL = InvalidRecord("it is a test")


def send(*records: Any, event: Any = None, reason: str = "it is a test") -> None:
    """Send a letter for each record of an event, by default a bare one that holds just these."""
    refused = [(record, InvalidRecord(reason)) for record in records]
    dead_letters.send(list(records) if event is None else event, refused, request_id=REQUEST_ID, deadline=math.inf)


def test_a_letter_is_as_lambda_writes_it(queue: Any) -> None:
    send({"id": "a", "data": None})
    [message] = queue.messages
    assert message["MessageBody"] == '{"id":"a","data":null}'
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": REQUEST_ID},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "Invalid data: it is a test"},
    }


def records(*ids: str, data: Any = 0, **more: Any) -> list[dict[str, Any]]:
    return [{"id": one, "data": data, **more} for one in ids]


def test_each_level_of_an_envelope_is_reduced_to_the_records_of_the_letters_id(queue: Any, envelope: Any) -> None:
    given, accepted = [*records("a", "b", "a", "c"), 7, {"id": 7}], records("a", "b", "a", timestamp=1)
    first = envelope(given, accepted)
    event = envelope(first, records("a", "b", enriched=True), stage="enricher")
    send(*event["responsePayload"], event=event)
    for body, name, times in zip(queue.bodies(), "ab", (2, 1), strict=True):
        before = {**first, "requestPayload": records(*name * times)}
        before["responsePayload"] = records(*name * times, timestamp=1)
        assert body == {**event, "requestPayload": before, "responsePayload": records(name, enriched=True)[0]}


@pytest.mark.parametrize(("size", "kept"), [(4096, True), (4097, False)])
def test_what_was_no_batch_stays_if_it_is_small(queue: Any, envelope: Any, size: int, kept: bool) -> None:
    document = "x" * (size - 2)
    event = envelope(document, records("a"))
    send(*event["responsePayload"], event=event)
    assert queue.bodies()[0]["requestPayload"] == (document if kept else None)


def test_of_many_records_of_one_id_a_few_stay_that_the_record_can_be_made_of(queue: Any, envelope: Any) -> None:
    many = [*records(*"a" * 9, data=1), *records(*"aa", data=2), *records(*"aaa", data=2, timestamp=5)]
    event = envelope(many, records("a", data=2, timestamp=5))
    send(*event["responsePayload"], event=event)
    assert queue.bodies()[0]["requestPayload"] == [*records(*"aaa", data=2, timestamp=5), *records("a", data=2)]


@pytest.mark.parametrize("kinds", [1, 3, 300], ids=["one id", "a few ids", "an id each"])
@pytest.mark.parametrize("data", [lambda n: "x" * 300, lambda n: f"{n:0300}"], ids=["alike", "different"])
def test_the_letters_of_a_batch_are_together_about_as_large(queue: Any, envelope: Any, kinds: int, data: Any) -> None:
    batch = [{"id": f"r{n % kinds}", "timestamp": 1, "data": data(n)} for n in range(300)]
    event = envelope(envelope(batch, batch), batch, stage="enricher")
    send(*batch, event=event)
    assert len(queue.messages) == 300
    assert sum(len(message["MessageBody"]) for message in queue.messages) < 5 * len(json.dumps(event))


def test_an_envelope_of_nothing_but_the_batch_is_one(queue: Any) -> None:
    send({"id": "a"}, event={"responsePayload": [{"id": "a"}]})
    assert queue.bodies() == [{"responsePayload": {"id": "a"}}]


@pytest.mark.parametrize(
    "text", ["é", "🎂", "\ud800", "\udfff!", "\ufffe", "\uffff", "\x00\x1f", "\x7f\x85", '"\\', "Infinity"]
)
def test_any_text_comes_back_from_a_letter(queue: Any, text: str) -> None:
    send({"id": text, text: [text]})  # the fake refuses what SQS refuses
    assert queue.bodies() == [{"id": text, text: [text]}]


def test_a_number_too_large_for_python_stays_json(queue: Any) -> None:
    send([json.loads("[1e999, -1e999]"), '-Infinity \\" Infinity', 1e308])
    [message] = queue.messages
    assert message["MessageBody"] == '[[1e999,-1e999],"-Infinity \\\\\\" Infinity",1e+308]'
    assert queue.bodies() == [[[math.inf, -math.inf], '-Infinity \\" Infinity', 1e308]]


@pytest.mark.parametrize("value", [object(), {(1,): 1}])
def test_what_is_no_json_is_refused(queue: Any, value: object) -> None:
    with pytest.raises(InvalidRecord, match="must be a value that can be encoded as JSON"):
        send(value)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("x" * 1010, "x" * 1010),
        ("x" * 1011, "x" * 1010),
        ("x" * 1009 + "é", "x" * 1009),
        ("x" * 1008 + "é!", "x" * 1008 + "é"),
        ("x" * 1007 + "🎂", "x" * 1007),
    ],
    ids=["fits", "one more", "half a letter", "a letter", "a quarter of a cake"],
)
def test_the_sentence_is_cut_between_characters(queue: Any, reason: str, kept: str) -> None:
    send(1, reason=reason)
    assert queue.reasons() == [f"Invalid data: {kept}"]


def test_the_sentence_holds_nothing_that_sqs_refuses(queue: Any) -> None:
    send(1, reason="a\x00b\ud800c\ufffed\n")
    assert queue.reasons() == ["Invalid data: a\ufffdb\ufffdc\ufffdd\n"]


@pytest.mark.parametrize(("count", "requests"), [(1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_a_request_holds_ten_letters(queue: Any, count: int, requests: list[int]) -> None:
    send(*range(count))
    assert [len(request["Entries"]) for request in queue.requests] == requests
    assert queue.bodies() == list(range(count))


def test_a_request_holds_no_more_than_sqs_takes(queue: Any) -> None:
    records = ["é" * 200_000] * 6
    send(*records)  # the fake refuses more than 1 MiB
    assert queue.bodies() == records
    assert [len(request["Entries"]) for request in queue.requests] == [2, 2, 2]


def test_attributes_count_in_what_sqs_takes(queue: Any) -> None:
    send(*["x" * 104_800] * 10)
    assert [len(request["Entries"]) for request in queue.requests] == [9, 1]


ATTRIBUTES = sum(map(len, ("RequestID", "String", REQUEST_ID, "ErrorCode", "Number", "200", "ErrorMessage", "String")))


def test_a_letter_as_large_as_sqs_takes_is_sent(queue: Any) -> None:
    send("x" * (1_048_576 - ATTRIBUTES - len(f'"{REFUSAL}"')))
    assert len(queue.messages) == 1


def test_a_letter_too_large_for_sqs_fails(queue: Any) -> None:
    with pytest.raises(ServiceError, match=r"^BatchRequestTooLong: "):
        send(1, "x" * (1_048_577 - ATTRIBUTES - len(f'"{REFUSAL}"')), 2)


@pytest.mark.parametrize(
    ("code", "sender", "backoff"),
    [("InternalError", False, 0.05), ("RequestThrottled", True, 1.0), ("ThrottlingException", False, 1.0)],
)
def test_a_letter_that_failed_is_sent_again_alone(
    queue: Any, no_waiting: list[float], code: str, sender: bool, backoff: float
) -> None:
    faults = [(code, sender)]
    queue.fault = lambda body: faults.pop() if body == "1" and faults else None
    send(0, 1, 2)
    assert queue.bodies() == [0, 2, 1]
    assert len(queue.requests) == 2
    assert 0 <= no_waiting[0] <= backoff


def test_a_letter_that_is_to_blame_itself_fails_at_once(queue: Any, no_waiting: list[float]) -> None:
    queue.fault = lambda body: ("InvalidMessageContents", True) if body == "1" else None
    with pytest.raises(ServiceError, match=r"^InvalidMessageContents: as the test asked$"):
        send(0, 1)
    assert no_waiting == []


def test_a_missing_queue_is_said(queue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEAD_LETTER_QUEUE_URL")
    with pytest.raises(aws.ConfigurationError, match=r"^DEAD_LETTER_QUEUE_URL must be set to the URL of the dead-"):
        send(1)
