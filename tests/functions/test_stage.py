"""What the stages share: what is handed on, what is logged, and that it can be delivered."""

import json
import logging
import re
from typing import Any

import pytest

from core import stage as stage_module
from core.delivery import MAX_HANDED_ON_BYTES, check_deliverable
from core.stage import stage
from record import InvalidRecord, Record

from .conftest import nested

EVENT: dict[str, Any] = {"id": "order-1", "timestamp": 1, "data": "marker-in-the-data"}


@stage("tested")
def handler(record: Record) -> dict[str, object]:
    return {"tested": record.id}


@stage("refused")
def refuse(record: Record) -> None:
    raise InvalidRecord("it is a test")


def test_a_record_is_handed_on_with_what_the_stage_adds() -> None:
    assert handler(EVENT, None) == EVENT | {"tested": "order-1"}


@pytest.mark.parametrize("change", [None, {"data": "changed"}], ids=["adds nothing", "changes a field"])
def test_a_record_is_handed_on_as_the_stage_leaves_it(change: dict[str, object] | None) -> None:
    assert stage("passed")(lambda record: change)(EVENT, None) == EVENT | (change or {})


def test_a_stage_takes_an_envelopes_body(envelope: Any) -> None:
    assert handler(envelope({}, EVENT), None) == EVENT | {"tested": "order-1"}


def test_the_first_stage_takes_no_envelope(envelope: Any) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: missing data field$"):
        stage("tested", first=True)(lambda record: None)(envelope({}, EVENT), None)


ADDED = {"enriched": True, "enrichedAt": 2, "version": "1.0"}


def test_what_an_earlier_stage_added_is_handed_on() -> None:
    assert handler(EVENT | ADDED | {"unknown": 1}, None) == EVENT | ADDED | {"tested": "order-1"}


def test_the_first_stage_takes_nothing_that_a_stage_would_add() -> None:
    assert stage("tested", first=True)(lambda record: None)(EVENT | ADDED, None) == EVENT


def test_a_handler_keeps_the_name_and_the_docstring_of_its_function() -> None:
    def check(record: Record) -> None:
        """Check it."""

    made = stage("checked")(check)
    assert (made.__name__, made.__doc__) == ("check", "Check it.")


def test_a_single_event_is_one_line_with_the_outcome(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    handler(EVENT, None)
    [line] = caplog.records
    assert (line.levelname, line.getMessage()) == ("INFO", "record tested")
    assert (line.recordId, line.recordTimestamp) == ("order-1", 1)


def test_a_refusal_is_logged_with_the_id_and_the_reason_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidRecord):
        refuse(EVENT, None)
    [line] = caplog.records
    assert (line.levelname, line.getMessage()) == ("WARNING", "record refused")
    assert (line.recordId, line.reason) == ("order-1", "Invalid data: it is a test")


@pytest.fixture
def in_json(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Log as in Lambda, where it wants JSON."""
    monkeypatch.setattr(stage_module, "_LOGS_JSON", True)
    caplog.set_level(logging.INFO)


@pytest.mark.usefixtures("in_json")
def test_where_lambda_wants_json_the_line_is_written_as_lambda_reads_it(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, context: Any
) -> None:
    event = EVENT | {"id": 'a "quoted"\nid, é'}
    handler(event, context)
    [text] = capsys.readouterr().out.splitlines()
    line = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "message": "record tested",
        "logger": "stage",
        "requestId": context.aws_request_id,
        "recordId": event["id"],
        "recordTimestamp": 1,
    }
    assert not caplog.records


@pytest.mark.usefixtures("in_json")
def test_a_level_above_info_takes_the_line_away(capsys: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    handler(EVENT, None)
    assert capsys.readouterr().out == ""


def test_any_other_error_passes_as_it_is_and_is_logged_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    failure = RuntimeError("marker-in-the-data")

    @stage("broken")
    def broken(record: Record) -> None:
        raise failure

    with pytest.raises(RuntimeError) as raised:
        broken(EVENT, None)
    assert raised.value is failure
    [line] = caplog.records
    assert (line.levelname, line.recordId, line.reason) == ("ERROR", "order-1", "RuntimeError")
    assert "marker" not in str(vars(line))


def of_size(size: int) -> dict[str, Any]:
    return {"a": "x" * (size - len(json.dumps({"a": ""})))}


def test_a_result_as_large_as_lambda_delivers_passes() -> None:
    check_deliverable(of_size(MAX_HANDED_ON_BYTES - 500_000), of_size(500_000))


def test_a_result_too_large_to_deliver_is_refused() -> None:
    with pytest.raises(InvalidRecord, match=r"at most 998000 bytes together .* \(got 998001\), but the processor"):
        check_deliverable(of_size(MAX_HANDED_ON_BYTES - 499_999), of_size(500_000))


def test_the_size_is_that_of_escaped_text() -> None:
    with pytest.raises(InvalidRecord, match="at most 998000 bytes together"):
        check_deliverable({"a": "é" * 100_000}, {"a": "é" * 100_000})


def test_the_document_with_lambdas_own_fields_fits_into_an_asynchronous_event(envelope: Any) -> None:
    document = envelope(of_size(MAX_HANDED_ON_BYTES - 500_000), of_size(500_000), stage="s" * 64)
    assert len(json.dumps(document)) < 1_000_000


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
