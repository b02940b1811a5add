"""Many writes at once: how they are cut into requests, what is sent again, and what is told apart."""

import math
import time
from typing import Any

import pytest

from core import inserts, store
from core.aws import ServiceError


def item(number: int, *, data: str = "1", **attributes: Any) -> dict[str, Any]:
    return {"id": {"S": f"r{number}"}, "timestamp": {"N": "1"}, "data": {"S": data}, **attributes}


def enriched(number: int, *, data: str = "1", at: int = 5) -> dict[str, Any]:
    return item(number, data=data, enriched={"BOOL": True}, enrichedAt={"N": str(at)}, version={"S": "1.0"})


def put_all(*items: dict[str, Any], deadline: float = math.inf) -> list[Any]:
    """Put items; return whether each was written, or the name of its refusal."""
    outcomes = inserts.put_all(items, deadline)
    return [outcome if isinstance(outcome, bool) else type(outcome).__name__ for outcome in outcomes]


@pytest.mark.parametrize(
    ("count", "requests"),
    [(0, []), (1, [1]), (24, [24]), (25, [25]), (26, [25, 1]), (51, [25, 25, 1]), (250, [25] * 10)],
)
def test_a_request_holds_25_items(dynamodb: Any, count: int, requests: list[int]) -> None:
    items = [enriched(number) for number in range(count)]
    assert put_all(*items) == [True] * count
    assert [len(batch) for batch in dynamodb.batches()] == requests
    assert list(dynamodb.items.values()) == items
    assert dynamodb.puts() == []


@pytest.mark.parametrize("text", ["x", "é", '"', "\\u0001", "🎂"])
def test_large_items_have_requests_of_their_own(dynamodb: Any, text: str) -> None:
    data = text * (400_000 // len(text.encode()))
    assert put_all(*(item(number, data=data) for number in range(8))) == [True] * 8  # the fake refuses 4 MB
    assert [len(batch) for batch in dynamodb.batches()] == [3, 3, 2]


def test_items_with_other_attributes_share_a_request(dynamodb: Any) -> None:
    assert put_all(item(1), enriched(2), item(3)) == [True] * 3
    assert len(dynamodb.batches()) == 1


def test_a_copy_is_told_from_a_conflict_by_a_second_try(dynamodb: Any) -> None:
    store.put(enriched(1))
    store.put(enriched(2))
    assert put_all(enriched(1, at=6), enriched(2, data="2"), item(3)) == [False, "ConflictingRecord", True]
    assert list(dynamodb.items.values()) == [enriched(1), enriched(2), item(3)]
    assert dynamodb.puts()[2:] == ["r1", "r2"]


def test_the_same_item_twice_is_stored_once(dynamodb: Any) -> None:
    assert put_all(enriched(1), enriched(1), enriched(1)) == [True, False, False]
    assert list(dynamodb.items.values()) == [enriched(1)]


def test_two_items_of_one_key_never_share_a_request(dynamodb: Any) -> None:
    put_all(*(item(number % 3, data=str(number)) for number in range(9)))  # the fake refuses such a request
    assert dynamodb.batches() == [["r0", "r1", "r2"]]


RETRIED = [
    ("InternalServerError", 0.05),
    ("ProvisionedThroughputExceeded", 1.0),
    ("RequestLimitExceeded", 1.0),
    ("ThrottlingError", 1.0),
    ("TransactionConflict", 0.05),
]


def failing(codes: dict[str, list[str]], *, carried_out: bool = False) -> Any:
    """Make a fault: the errors that the statements of each record meet, one after the other."""
    return lambda record_id: (codes[record_id].pop(0), carried_out) if codes.get(record_id) else None


@pytest.mark.parametrize(("code", "backoff"), RETRIED)
def test_a_statement_that_can_go_better_is_sent_again_alone(
    dynamodb: Any, no_waiting: list[float], code: str, backoff: float
) -> None:
    dynamodb.fault = failing({"r1": [code]})
    assert put_all(item(0), item(1), item(2)) == [True] * 3
    assert dynamodb.batches() == [["r0", "r1", "r2"], ["r1"]]
    assert len(no_waiting) == 1
    assert 0 <= no_waiting[0] <= backoff


@pytest.mark.parametrize(
    "code", ["AccessDenied", "ResourceNotFound", "ValidationError", "ConditionalCheckFailed", "New"]
)
def test_any_other_error_of_a_statement_passes_on_at_once(dynamodb: Any, no_waiting: list[float], code: str) -> None:
    dynamodb.fault = failing({"r1": [code]})
    with pytest.raises(ServiceError, match=f"^{code}: as"):
        put_all(item(0), item(1))
    assert (len(dynamodb.requests), no_waiting) == (1, [])


def test_a_statement_that_failed_but_was_carried_out_finds_its_own_item(dynamodb: Any, no_waiting: Any) -> None:
    dynamodb.fault = failing({"r1": ["InternalServerError"]}, carried_out=True)
    assert put_all(enriched(0), enriched(1)) == [True, False]
    assert len(dynamodb.items) == 2


@pytest.mark.parametrize("spoilt", ["lost", "cut", "damaged", "page"])
def test_a_request_whose_answer_was_lost_finds_its_own_items(dynamodb: Any, no_waiting: Any, spoilt: str) -> None:
    dynamodb.spoilt = [spoilt]
    items = [enriched(number) for number in range(3)]
    assert put_all(*items) == [False] * 3
    assert list(dynamodb.items.values()) == items


def test_no_second_try_begins_after_the_deadline(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(item(1))
    clock = iter([0.0, 2.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(ServiceError, match=r"^OutOfTime: "):
        put_all(item(1), deadline=1.0)
    assert dynamodb.puts() == ["r1"]


def test_an_answer_without_a_response_for_each_statement_fails(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb, "_execute", lambda statements: (200, {"Responses": [{}]}))
    with pytest.raises(ValueError, match="zip"):
        put_all(item(1), item(2))
