"""One or many: each record of a batch is handled as if it had come alone, and what fails fails the whole event."""

import json
import logging
import math
import time
from typing import Any

import pytest

from core import aws, batch
from core.aws import ServiceError
from core.delivery import MAX_HANDED_ON_BYTES
from core.stage import stage
from record import InvalidRecord, Record

from ..own import enricher, validator

GOOD: dict[str, Any] = {"id": "order-1", "timestamp": 1767225600000, "data": {"total": 12.5}}
SUCCESS = {"statusCode": 200, "body": "Success"}


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1700000000000 + number, "data": {"n": number}, **fields}


BAD = [{"id": "a"}, 7, None, [record(1)], {"id": "", "data": 1}]


@stage("tested")
def handler(record: Record) -> dict[str, object]:
    if record.data == "refused":
        raise InvalidRecord("it is a test")
    return {"tested": True}


@pytest.fixture(params=["validator", "enricher", "processor"])
def each(request: pytest.FixtureRequest, processor: Any) -> Any:
    return {"validator": validator, "enricher": enricher, "processor": processor}[request.param]


def test_an_empty_array_from_a_producer_is_refused(each: Any, context: Any) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: a batch must not be empty$"):
        each.handler([], context)


def test_a_batch_of_a_thousand_is_taken(queue: Any, context: Any) -> None:
    assert validator.handler([0] * 1000, context) == []
    assert len(queue.messages) == 1000


def test_a_batch_of_more_is_refused_as_one_event(each: Any, dynamodb: Any, envelope: Any, context: Any) -> None:
    records = [record(number) for number in range(1001)]
    with pytest.raises(InvalidRecord, match=r"^Invalid data: a batch must have at most 1000 records \(got 1001\)$"):
        each.handler(records if each is validator else envelope({}, records), context)
    assert dynamodb.requests == dynamodb.queue.requests == []


def test_an_empty_array_in_an_envelope_is_taken_and_does_nothing(
    processor: Any, dynamodb: Any, envelope: Any, context: Any
) -> None:
    assert enricher.handler(envelope({}, []), context) == []
    assert processor.handler(envelope({}, []), context) == SUCCESS
    assert dynamodb.requests == dynamodb.queue.requests == []


def test_an_envelope_in_a_batch_is_no_record(envelope: Any, queue: Any, context: Any) -> None:
    assert handler([envelope({}, record(1))], context) == []
    assert queue.reasons() == ["Invalid data: missing data field"]


def test_any_other_error_fails_the_whole_event_and_sends_no_letter(
    queue: Any, context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @stage("broken")
    def broken(record: Record) -> None:
        if record.id == "r2":
            raise KeyError("marker")

    with pytest.raises(KeyError):
        broken([record(1), {"id": "refused"}, record(2)], context)
    assert queue.requests == []
    [line] = caplog.records
    assert (line.levelname, line.getMessage(), line.reason) == ("ERROR", "stage failed", "KeyError")


def of_size(size: int) -> list[dict[str, Any]]:
    """Return a batch of three records of that many bytes of JSON."""
    filling = size - len(json.dumps([record(n, data="") for n in range(3)]))
    return [record(n, data="x" * ((filling + n) // 3)) for n in range(3)]


def test_a_batch_as_large_as_lambda_delivers_is_handed_on(context: Any) -> None:
    added = len(json.dumps(handler(of_size(1000), context))) - 1000
    assert handler(of_size((MAX_HANDED_ON_BYTES - added) // 2 - 2), context)
    with pytest.raises(InvalidRecord, match=r"a batch and its results must be at most 998000 bytes .*: send fewer"):
        handler(of_size((MAX_HANDED_ON_BYTES - added) // 2 + 2), context)


def test_a_batch_too_large_to_hand_on_sends_no_letter(queue: Any, context: Any) -> None:
    with pytest.raises(InvalidRecord, match="send fewer records at once"):
        validator.handler([*BAD, *of_size(499_500)], context)
    assert queue.requests == []


def test_a_result_that_is_no_json_refuses_its_record_alone(queue: Any, context: Any) -> None:
    @stage("broken")
    def broken(record: Record) -> dict[str, object]:
        return {"seen": {record.id}} if record.id == "r2" else {}

    assert broken([record(1), record(2)], context) == [record(1)]
    assert queue.reasons() == ["Invalid data: the event must be a value that can be encoded as JSON"]


def test_the_log_has_a_line_for_each_refusal_and_one_for_the_batch(
    queue: Any, context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    validator.handler([record(1), record(2, data=None), record(3), "marker"], context)
    lines = [(line.name, line.levelname, line.getMessage()) for line in caplog.records]
    assert lines == [
        ("stage", "WARNING", "record refused"),
        ("stage", "WARNING", "record refused"),
        ("stage", "INFO", "batch accepted"),
    ]
    refusals, line = caplog.records[:2], caplog.records[2]
    assert [(line.recordId, line.reason) for line in refusals] == [
        ("r2", "Invalid data: missing data field"),
        (None, "Invalid data: a record must be a JSON object (got a string)"),
    ]
    assert (line.records, line.refused, line.accepted) == (4, 2, 2)
    assert "marker" not in str([vars(line) for line in caplog.records])


def enriched(number: int, **fields: Any) -> dict[str, Any]:
    return record(number, enriched=True, enrichedAt=1700000000999, version="1.0", **fields)


def test_letters_are_sent_after_everything_is_stored_and_fail_the_whole_event_if_they_cannot(
    processor: Any, dynamodb: Any, context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dynamodb.queue.always = (403, "AccessDenied")
    with pytest.raises(ServiceError, match="AccessDenied"):
        processor.handler([7, record(1)], context)
    assert list(dynamodb.items) == [("r1", 1700000000001)]
    assert caplog.records[-1].getMessage() == "stage failed"


def test_a_table_that_cannot_be_written_fails_the_whole_event_and_sends_no_letter(
    processor: Any, dynamodb: Any, context: Any
) -> None:
    dynamodb.always = (400, "AccessDeniedException")
    with pytest.raises(ServiceError):
        processor.handler([7, record(1)], context)
    assert dynamodb.queue.requests == []


def test_a_batch_that_is_delivered_twice_is_stored_once(
    processor: Any, dynamodb: Any, context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    records = [enriched(number) for number in range(30)]
    assert [processor.handler(records, context) for _ in range(2)] == [SUCCESS] * 2
    assert len(dynamodb.items) == 30
    counts = [(line.getMessage(), line.refused, line.stored, line.alreadyStored) for line in caplog.records]
    assert counts == [("batch stored", 0, 30, 0), ("batch stored", 0, 0, 30)]


def test_a_quarter_of_the_functions_time_is_kept(context: Any) -> None:
    assert 44 < batch._deadline(context) - time.monotonic() <= 45
    assert batch._deadline(None) == math.inf


def test_what_is_throttled_is_given_up_in_time(processor: Any, dynamodb: Any, context: Any, no_waiting: Any) -> None:
    context.ends = time.monotonic() + 0.05
    dynamodb.fault = lambda _: ("ThrottlingError", False)
    with pytest.raises(ServiceError, match=r"^(ThrottlingError|OutOfTime): "):
        processor.handler([record(1)], context)
    assert len(dynamodb.requests) < aws.ATTEMPTS
