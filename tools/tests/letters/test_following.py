"""Records that were sent again are followed until they are stored or dead letters again."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.letters.following import Following
from pipeline.letters.selection import examine
from pipeline.records.bucket import Receipt
from pipeline.records.table import Item, Key

from ..stack.samples import QUEUE_ARN, STAGES, envelope, letter, record, stack

KNOWN = stack("validator", "enricher", "processor", "reader", pipeline=STAGES)._replace(files_arn=QUEUE_ARN)


class Table:
    def __init__(self, *records: Any) -> None:
        self.items = {Key.of(one): one["data"] for one in records}

    def get(self, keys: set[Key]) -> dict[Key, Item]:
        assert len(keys) <= 100
        return {key: Item(key, json.dumps(self.items[key]), None, {}) for key in keys if key in self.items}


def following(*events: Any, stage: str = "validator", **options: Any) -> Following:
    found = Following(STAGES, **options)
    for number, event in enumerate(events):
        found.add(f"sent-{number}", stage, json.dumps(event).encode())
    return found


def came_back(found: Following, event: object, request: str = "sent-0") -> int:
    found.look_through([examine(letter(event, request_id=request), KNOWN)])
    return found.came_back


@pytest.mark.parametrize(
    ("event", "stage", "count"),
    [
        (record(1), "validator", 1),
        ([record(1), record(2)], "validator", 2),
        ([], "validator", 1),
        (envelope(record(1), [record(1), record(2)]), "enricher", 2),
        (7, "validator", 1),
    ],
)
def test_each_record_of_an_event_is_open_until_it_is_found(event: Any, stage: str, count: int) -> None:
    found = following(event, stage=stage)
    assert (found.open, found.not_followed) == (count, 0)


def test_the_event_of_a_function_that_no_record_passes_is_not_followed() -> None:
    found = following({"any": "event"}, stage="billing")
    assert (found.open, found.not_followed) == (0, 1)


@pytest.mark.parametrize(("keys_only", "stored"), [(False, 120), (True, 121)])
def test_a_record_is_stored_once_its_key_has_its_data_or_any_if_asked(keys_only: bool, stored: int) -> None:
    sent = [record(number) for number in range(123)]
    found = following(sent, {"id": "no time", "data": 1}, keys_only=keys_only)
    table: Any = Table(*sent[:120], {**sent[120], "data": "another"})
    for _ in range(2):
        found.look_at(table)
        assert (found.stored, found.open) == (stored, 124 - stored)


def test_a_letter_settles_the_record_of_its_key_of_the_event_that_it_comes_of() -> None:
    found = following([record(1), record(2)], {"id": "no time", "data": 1})
    assert came_back(found, record(1), "another") == 0
    assert came_back(found, record(3)) == 0
    assert came_back(found, record(1)) == came_back(found, record(1)) == 1
    assert came_back(found, {"id": "no time", "data": 1}, "sent-1") == 2
    assert found.open == 1


@pytest.mark.parametrize("event", [[record(1), record(2)], [], {"id": "r-1"}, 7])
def test_a_letter_of_the_whole_event_or_of_what_has_no_key_settles_all_that_it_may_be_of(event: Any) -> None:
    assert came_back(following([record(1), record(2)]), event) == 2


def file_letter(**told: object) -> Any:
    event = {"detail": {"bucket": {"name": ""}, "object": {"key": "a.jsonl", **told}}}
    return examine(letter(event, of="reader", sent=1000), KNOWN)


@pytest.mark.parametrize(
    ("began", "stored", "settled"), [(1000, 1, (0, 0)), (1001, 1, (1, 0)), (1001, 0, (0, 1)), (None, 1, (0, 0))]
)
def test_a_file_is_settled_by_a_receipt_of_the_reading_that_was_asked_for(
    began: int | None, stored: int, settled: tuple[int, int]
) -> None:
    found = Following(STAGES)
    found.add_file("message", file_letter(**{"version-id": "v1"}))
    receipt = None if began is None else Receipt(1, 0, stored, 0, 1 - stored, 0, 1.0, "v1", began)
    bucket: Any = SimpleNamespace(receipt=lambda *asked: receipt if asked == ("a.jsonl", "v1") else None)
    found.look_at_files(bucket)
    assert (found.whole, found.not_whole, found.open) == (*settled, 1 - sum(settled))


def test_a_file_whose_letter_is_back_is_settled_and_one_of_no_version_not_followed() -> None:
    found = Following(STAGES)
    found.add_file("message", file_letter(etag="e"))
    found.add_file("other", file_letter())
    assert (found.open, found.not_followed) == (1, 1)
    one = file_letter()
    another, back = (one._replace(attribution=one.attribution._replace(request_ids=(i,))) for i in ("x", "message"))
    found.look_through([another])
    assert (found.open, found.came_back) == (1, 0)
    found.look_through([back, back])
    assert (found.open, found.came_back) == (0, 1)
