"""The worked example of docs/extending.md: another stage, which takes one record or many without a word about it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from record import InvalidRecord

from .changes import examples

ENRICHED = {"enriched": True, "enrichedAt": 2, "version": "1.0"}


@pytest.fixture(scope="module")
def auditor() -> Any:
    module = ModuleType("auditor")
    exec(examples()["functions/auditor.py"], vars(module))
    return module


def record(number: int, total: object) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1, "data": {"total": total}, **ENRICHED}


@pytest.mark.parametrize("total", [10_000, -1.5, "10001", None])
def test_a_record_is_handed_on_as_it_came(auditor: Any, envelope: Any, total: object) -> None:
    assert auditor.handler(envelope({}, record(1, total), stage="enricher"), None) == record(1, total)


def test_a_record_that_is_worth_too_much_is_refused(auditor: Any) -> None:
    with pytest.raises(InvalidRecord, match=r"^Invalid data: total must be at most 10000$"):
        auditor.handler(record(1, 10_001), None)


def test_it_takes_a_batch(auditor: Any, envelope: Any, queue: Any, context: Any) -> None:
    batch = [record(1, 12), record(2, 10_001), record(3, "none")]
    event = envelope([], batch, stage="enricher")
    assert auditor.handler(event, context) == [batch[0], batch[2]]
    assert queue.bodies() == [{**event, "responsePayload": batch[1]}]
    assert queue.reasons() == ["Invalid data: total must be at most 10000"]
