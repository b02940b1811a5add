"""The enricher marks a record, bare or in an envelope."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import enricher
from record import InvalidRecord

GOOD: dict[str, Any] = {"id": "order-1", "timestamp": 1767225600000, "data": {"total": 12.5}}
ENRICHED = GOOD | {"enriched": True, "enrichedAt": 1767225600500, "version": enricher.VERSION}


@pytest.fixture(autouse=True)
def at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enricher, "now", lambda: 1767225600500)


def test_a_bare_record_is_enriched() -> None:
    assert enricher.handler(GOOD, None) == ENRICHED


def test_the_validators_result_is_enriched_from_its_envelope(envelope: Any) -> None:
    assert enricher.handler(envelope(GOOD, {"valid": True, **GOOD}), None) == ENRICHED


def test_the_seeds_event_is_stamped_and_enriched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("record.now", lambda: 1767225600000)
    assert enricher.handler({"id": "order-1", "data": {"total": 12.5}}, None) == ENRICHED


@pytest.mark.parametrize("event", [{"id": "order-1"}, {"id": "order-1", "data": None}])
def test_a_record_without_data_is_refused(envelope: Any, event: object) -> None:
    for given in (event, envelope(event, event)):
        with pytest.raises(InvalidRecord, match=r"^Invalid data: missing data field$"):
            enricher.handler(given, None)


def test_a_record_that_could_not_reach_the_processor_is_refused(envelope: Any) -> None:
    large = GOOD | {"data": "x" * 340_000}
    with pytest.raises(InvalidRecord, match="to reach the next stage"):
        enricher.handler(envelope(large, large), None)


def test_the_log_holds_the_id_and_never_the_data(caplog: pytest.LogCaptureFixture, envelope: Any) -> None:
    caplog.set_level(logging.DEBUG)
    marked = GOOD | {"data": "marker"}
    enricher.handler(envelope(marked, marked), None)
    with pytest.raises(InvalidRecord):
        enricher.handler(envelope(marked, marked | {"timestamp": "marker"}), None)
    assert [line.recordId for line in caplog.records] == ["order-1", "order-1"]
    assert "marker" not in str([vars(line) for line in caplog.records])
