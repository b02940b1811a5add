"""Exports are exact, whole, and go on where they were stopped."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MisuseError
from pipeline.questions.export import Export, Key, Page, Source, as_line, pages
from pipeline.stack.rate_limit import RateLimiter
from processor import handler
from record import parse

item_of: Any = handler.__wrapped__  # type: ignore[attr-defined]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
DATA = JSON.filter(lambda data: data is not None)
RECORDS = st.fixed_dictionaries({"id": TEXT.filter(bool), "timestamp": st.integers(1, 10**38 - 1), "data": DATA})


def stored(record: Mapping[str, Any], **added: Any) -> dict[str, Any]:
    """Return the item that the pipeline stores of a record."""
    item: dict[str, Any] = item_of(parse({**record, **added}, added=True))
    return item


@given(RECORDS)
def test_a_record_that_is_exported_and_stored_again_is_the_same_item(record: dict[str, Any]) -> None:
    added = {"enriched": True, "enrichedAt": 7, "version": "1.0"}
    line = as_line(stored(record, **added))
    assert "\n" not in line
    again = json.loads(line)
    assert set(again) == {"id", "timestamp", "data"}
    assert stored(again, **added) == stored(record, **added)


def test_the_largest_item_is_exported_whole() -> None:
    record = {"id": "ü" * 1024, "timestamp": 10**38 - 1, "data": "\u2028é" * 80_000}
    assert json.loads(as_line(stored(record))) == record


def test_what_a_project_adds_to_the_record_is_exported_in_its_own_type() -> None:
    item = {
        "id": {"S": "a"},
        "timestamp": {"N": "1"},
        "data": {"S": '{"n":1.10}'},
        "source": {"S": "shop"},
        "price": {"N": "12345678901234567890.123"},
        "flags": {"M": {"is new": {"BOOL": True}, "tags": {"L": [{"S": "x"}, {"NULL": True}]}}},
    }
    assert as_line(item) == (
        '{"id": "a", "timestamp": 1, "data": {"n":1.10}, "flags": {"is new": true, "tags": ["x", null]}, '
        '"price": 12345678901234567890.123, "source": "shop"}'
    )


class Table:
    """Items in segments, and what stops a reader at a certain call."""

    def __init__(self, count: int = 100, *, fail_at: float = math.inf) -> None:
        self.items = [stored({"id": f"r-{n}", "timestamp": n + 1, "data": n}) for n in range(count)]
        self.fail_at, self.calls = fail_at, 0
        self.requests: list[dict[str, Any]] = []

    def scan(self, **request: Any) -> dict[str, Any]:
        self.calls += 1
        self.requests.append(request)
        if self.calls > self.fail_at:
            raise KeyboardInterrupt
        own = self.items[request.get("Segment", 0) :: request.get("TotalSegments", 1)]
        start = request.get("ExclusiveStartKey")
        first = 1 + next((n for n, item in enumerate(own) if start and item["id"] == start["id"]), -1)
        some = own[first : first + request["Limit"]]
        last = {"LastEvaluatedKey": {"id": some[-1]["id"]}} if first + len(some) < len(own) else {}
        return {"Items": some, "ScannedCount": len(some), **last}

    query = scan


def source(table: Table, *, segments: int = 3, **more: Any) -> Source:
    given: dict[str, Any] = {"record_id": None, "asked_since": None, "since": None, **more}
    return Source(table, "records", segments=segments, rate=RateLimiter(), limit=7, **given)


def export(path: Path, table: Table, **more: Any) -> int:
    with Export(path, source(table, **more)) as file:
        for page in pages(file.source, file.starts):
            file.add(page)
        file.finish()
        return file.count


def ids(path: Path) -> list[str]:
    return sorted(json.loads(line)["id"] for line in path.read_text().splitlines())


def stop(path: Path, table: Table, **more: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        export(path, table, **more)


@pytest.mark.parametrize("fail_at", range(0, 15, 2))
def test_an_export_that_was_stopped_anywhere_goes_on_there(tmp_path: Path, fail_at: int) -> None:
    path = tmp_path / "records.jsonl"
    stop(path, Table(fail_at=fail_at))
    assert not path.exists()
    again = Table()
    assert export(path, again) == 100
    assert ids(path) == sorted(f"r-{n}" for n in range(100))
    assert again.calls <= 15 - max(0, fail_at - 3)  # what was running on the others was not noted
    assert list(tmp_path.iterdir()) == [path]


def test_lines_and_entries_that_were_cut_off_are_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    stop(path, Table(fail_at=9))
    with (tmp_path / "records.jsonl.part").open("a") as part:
        part.write('{"id": "r-1", "cut')
    with (tmp_path / "records.jsonl.journal").open("a") as journal:
        journal.write('[0, {"id"')
    assert export(path, Table()) == 100
    assert ids(path) == sorted(f"r-{n}" for n in range(100))


def test_another_export_is_not_resumed_and_no_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    stop(path, Table(fail_at=2))
    with pytest.raises(MisuseError, match="finish that, or remove the journal"):
        export(path, Table(), segments=4)
    with Export(path, source(Table())), pytest.raises(MisuseError, match="is running"):
        export(path, Table())
    path.touch()
    with pytest.raises(MisuseError, match="is there already"):
        export(path, Table())


def test_an_age_stays_the_time_that_it_was_when_the_export_began(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    stop(path, Table(fail_at=2), asked_since="1h", since=5)
    table = Table()
    export(path, table, asked_since="1h", since=9)
    assert {request["ExpressionAttributeValues"][":since"]["N"] for request in table.requests} == {"5"}


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({"since": 5}, {"FilterExpression": "#timestamp >= :since", "Segment": 0}),
        ({"record_id": "a"}, {"KeyConditionExpression": "#id = :id"}),
        ({"record_id": "a", "since": 5}, {"KeyConditionExpression": "#id = :id AND #timestamp >= :since"}),
    ],
)
def test_one_id_is_queried_and_a_time_is_a_condition(more: dict[str, Any], asked: dict[str, Any]) -> None:
    table = Table(1)
    starts: dict[int, Key] = {0: None}
    found: list[Page] = list(pages(source(table, segments=1, **more), starts))
    assert [page.records for page in found] == [1]
    (request,) = table.requests
    assert request.items() >= asked.items()
    assert ("Segment" in request) == ("record_id" not in more)


def test_the_rate_counts_what_is_read() -> None:
    taken: list[int] = []

    class Rate(RateLimiter):
        def take_all(self, count: int) -> None:
            taken.append(count)

    slow = Source(Table(10), "records", None, None, None, 1, Rate(), limit=4)
    assert sum(page.records for page in pages(slow, {0: None})) == 10 == sum(taken)
