"""What the stages share: refusals leave a line without the data, results too large to deliver are refused."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from record import InvalidRecord, parse
from stage import MAX_HANDED_ON_BYTES, check_deliverable, log, stage

EVENT: dict[str, Any] = {"id": "order-1", "timestamp": 1, "data": "marker-in-the-data"}


def refuse(event: object, context: object) -> dict[str, object]:
    raise InvalidRecord("it is a test")


def test_a_refusal_is_logged_with_the_id_and_the_reason_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidRecord):
        stage(refuse)(EVENT, None)
    [line] = caplog.records
    assert (line.levelname, line.getMessage()) == ("WARNING", "record refused")
    assert (line.recordId, line.reason) == ("order-1", "Invalid data: it is a test")


def test_an_outcome_is_logged_with_the_id_and_the_timestamp(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log("record accepted", parse(EVENT))
    [line] = caplog.records
    assert (line.levelname, line.getMessage()) == ("INFO", "record accepted")
    assert (line.recordId, line.recordTimestamp) == ("order-1", 1)


def test_any_other_error_passes_as_it_is_and_is_logged_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    failure = RuntimeError("marker-in-the-data")

    def broken(event: object, context: object) -> dict[str, object]:
        raise failure

    with pytest.raises(RuntimeError) as raised:
        stage(broken)(EVENT, None)
    assert raised.value is failure
    [line] = caplog.records
    assert (line.levelname, line.recordId, line.reason) == ("ERROR", "order-1", "RuntimeError")
    assert "marker" not in str(vars(line))


def of_size(size: int) -> dict[str, Any]:
    return {"a": "x" * (size - len(json.dumps({"a": ""})))}


def test_a_result_as_large_as_lambda_delivers_passes() -> None:
    check_deliverable(of_size(MAX_HANDED_ON_BYTES - 500_000), of_size(500_000))


def test_a_result_too_large_to_deliver_is_refused() -> None:
    with pytest.raises(
        InvalidRecord, match=r"at most 998000 bytes together .* \(got 998001\), but the processor takes"
    ):
        check_deliverable(of_size(MAX_HANDED_ON_BYTES - 499_999), of_size(500_000))


def test_the_size_is_that_of_escaped_text() -> None:
    with pytest.raises(InvalidRecord, match="at most 998000 bytes together"):
        check_deliverable({"a": "é" * 100_000}, {"a": "é" * 100_000})


def test_the_document_with_lambdas_own_fields_fits_into_an_asynchronous_event(envelope: Any) -> None:
    document = envelope(of_size(MAX_HANDED_ON_BYTES - 500_000), of_size(500_000), stage="s" * 64)
    assert len(json.dumps(document)) < 1_000_000


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


CIRCULAR: list[object] = []
CIRCULAR.append(CIRCULAR)


@pytest.mark.parametrize(
    "extra",
    [{"a": object()}, {(1,): "a"}, {"a": CIRCULAR}, {"a": nested(100_000)}],
    ids=["value", "key", "circular", "deep"],
)
def test_an_event_that_is_no_json_is_refused(extra: dict[Any, Any]) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: the event must be a value that can be encoded as JSON$"):
        check_deliverable(EVENT | extra, {})
