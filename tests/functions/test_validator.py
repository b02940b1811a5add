"""The validator takes bare records, stamps them and refuses everything else."""

import logging
from contextlib import suppress
from typing import Any

import pytest

from record import InvalidRecord

from ..own import enricher, validator

GOOD: dict[str, Any] = {"id": "order-1", "timestamp": 1767225600000, "data": {"total": 12.5}}


def test_a_valid_record_is_returned_as_valid() -> None:
    assert validator.handler(GOOD, None) == {"valid": True, **GOOD}


def test_data_is_what_the_schema_says(schema: Any) -> None:
    schema({"properties": {"total": {"exclusiveMinimum": 0}}})
    assert validator.handler(GOOD, None)["valid"]
    with pytest.raises(InvalidRecord, match=r"^Invalid data: data\.total must be bigger than 0$"):
        validator.handler(GOOD | {"data": {"total": -1}}, None)


def test_data_that_a_schema_cannot_follow_is_refused(schema: Any) -> None:
    again = {name: {"allOf": [{"$ref": f"#/$defs/{following}"}]} for name, following in ("bc", "cd", "de", "ea")}
    schema({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, **again}})
    data: Any = 1
    for _ in range(400):
        data = [data]
    with pytest.raises(InvalidRecord, match=r"^Invalid data: data is nested too deep for its schema$"):
        validator.handler(GOOD | {"data": data}, None)


def test_a_later_stage_may_change_data_beyond_the_schema(schema: Any) -> None:
    schema({"type": "null"})
    assert enricher.handler(GOOD, None)["data"] == GOOD["data"]


def test_a_record_that_could_not_reach_the_enricher_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="to reach the next stage"):
        validator.handler(GOOD | {"data": "é" * 100_000}, None)


@pytest.mark.parametrize("event", [{"id": "order-1"}, [{"id": "order-1"}]], ids=["alone", "in a batch"])
def test_the_log_names_the_record_and_nothing_that_it_holds(
    event: Any, context: Any, queue: Any, caplog: pytest.LogCaptureFixture
) -> None:
    inner = {"responsePayload": {"id": "another"}, "requestContext": {}}
    event = [one | inner for one in event] if isinstance(event, list) else event | inner
    with suppress(InvalidRecord):
        validator.handler(event, context)
    assert [line.recordId for line in caplog.records if line.levelname == "WARNING"] == ["order-1"]


def test_the_log_holds_the_id_and_never_the_data(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    validator.handler(GOOD | {"data": "marker"}, None)
    with pytest.raises(InvalidRecord):
        validator.handler(GOOD | {"data": {"marker": float("nan")}}, None)
    assert [line.recordId for line in caplog.records] == ["order-1", "order-1"]
    assert "marker" not in str([vars(line) for line in caplog.records])
