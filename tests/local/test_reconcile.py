"""What became of each line."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from local.matching import canonical
from local.reconcile import Failure, Fate, Item, Outcome, read_items, reconcile, take_failures
from local.submit import Line, Submission
from tests.deployed.samples import alias, envelope, record, sender, stack


def test_equal_documents_are_equal_texts_and_others_are_not() -> None:
    assert canonical({"a": 1, "b": [1.5, None]}) == canonical({"b": [1.5, None], "a": 1})
    assert len({canonical(value) for value in (1, True, "1", 1.5, None, [1], {"1": 1})}) == 7


def failures(*messages: dict[str, Any]) -> list[Failure]:
    """Take messages out of a scripted queue."""
    answers = [{"Messages": list(messages)}, {}]
    client = SimpleNamespace(receive_message=lambda **_: answers.pop(0), delete_message_batch=lambda **_: None)
    return take_failures(client, stack())


def message(body: object, stage: str) -> dict[str, Any]:
    attributes = {"SenderId": sender(stage)}
    return {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body), "Attributes": attributes}


def test_a_bare_record_with_a_request_context_of_its_own_is_the_validators() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=record(2))
    (failure,) = failures(message(own, "validator"))
    assert (failure.stage, json.loads(*failure.origins)) == ("validator", own)
    (line,) = reconcile([Submission(Line(1, json.dumps(own).encode()), "request")], [], [failure])
    assert line.fate is Fate.DEAD


def test_a_letter_of_a_later_stage_leads_to_the_submitted_record() -> None:
    (failure,) = failures(message(envelope(record(1), {"valid": True, **record(1)}), "enricher"))
    assert (failure.stage, json.loads(*failure.origins)) == ("enricher", record(1))


def test_a_letter_that_no_role_of_the_stack_sent_is_of_no_stage() -> None:
    (failure,) = failures(message(record(1), "stranger"))
    assert failure.stage == "unknown"


# Lines and items


def judged(items: list[Item], *documents: object, dead: list[Failure] | None = None) -> list[Outcome]:
    """Judge lines, each a document that Lambda accepted."""
    lines = [Line(number, json.dumps(document).encode()) for number, document in enumerate(documents, 1)]
    return reconcile([Submission(line, "request") for line in lines], items, dead or [])


def fates(items: list[Item], *documents: object, dead: list[Failure] | None = None) -> list[str]:
    return [line.fate.name for line in judged(items, *documents, dead=dead)]


def item(number: int, data: object, *, at: int | None = None) -> Item:
    return Item(f"r-{number}", at or record(number)["timestamp"], canonical(data), "1.0")


def unstamped(number: int, data: object) -> dict[str, Any]:
    return {"id": f"r-{number}", "data": data}


def test_a_record_whose_data_a_stage_changed_is_stored_and_said_to_be_changed() -> None:
    changed, kept = judged([item(1, {"n": 1, "more": 2}), item(2, {"n": 2})], record(1), record(2))
    assert (changed.fate, changed.changed) == (Fate.STORED, True)
    assert (kept.fate, kept.changed) == (Fate.STORED, False)


def test_a_stamped_record_whose_data_a_stage_changed_is_found_by_its_id() -> None:
    (line,) = judged([item(1, "CHANGED", at=9)], unstamped(1, "submitted"))
    assert (line.fate, line.changed) == (Fate.STORED, True)


def test_another_time_is_another_record() -> None:
    assert fates([item(1, {"n": 1}, at=9)], record(1)) == ["LOST"]


def test_of_stamped_records_of_one_id_each_item_is_of_one() -> None:
    items = [item(1, "X", at=8), item(1, "Y", at=9)]
    assert fates(items, unstamped(1, "x"), unstamped(1, "y")) == ["STORED", "STORED"]
    assert fates(items[:1], unstamped(1, "x"), unstamped(1, "y")) == ["STORED", "LOST"]


def test_an_item_with_the_data_of_one_line_is_not_taken_for_another_lines() -> None:
    assert fates([item(1, "y", at=9)], unstamped(1, "x"), unstamped(1, "y")) == ["LOST", "STORED"]
    assert fates([item(1, {"n": 1})], record(1, data="other"), record(1)) == ["LOST", "STORED"]


def test_of_two_records_of_one_key_the_dead_one_is_not_the_stored_one_though_both_were_changed() -> None:
    first, second = record(1, data="x"), record(1, data="y")
    dead = failures(message(envelope(second, {**second, "data": "Y"}), "enricher"))
    assert fates([item(1, "X")], first, second, dead=dead) == ["STORED", "DEAD"]
    assert fates([item(1, "X")], second, first, dead=dead) == ["DEAD", "STORED"]


def test_the_same_record_on_two_lines_is_stored_for_both() -> None:
    assert fates([item(1, {"n": 1})], record(1), record(1)) == ["STORED", "STORED"]


def test_many_records_of_one_id_are_judged_in_a_moment() -> None:
    items = [Item("sensor", number, str(number), None) for number in range(10_000)]
    documents = [{"id": "sensor", "timestamp": number, "data": number} for number in range(10_000)]
    started = time.process_time()
    assert set(fates(items, *documents)) == {"STORED"}
    assert time.process_time() - started < 5


# Batches


def test_each_refused_record_of_a_batch_is_dead_and_no_other() -> None:
    good, bad = record(1), {"id": "r-2"}
    dead = failures(message(bad, "validator"))
    assert fates([item(1, {"n": 1})], good, bad, dead=dead) == ["STORED", "DEAD"]


def test_a_record_that_a_later_stage_refused_leads_to_its_line() -> None:
    batch = [record(1), record(2), unstamped(3, "x")]
    stamped = {"valid": True, **unstamped(3, "changed"), "timestamp": 9}
    dead = failures(message(envelope(batch, record(2)), "enricher"), message(envelope(batch, stamped), "enricher"))
    assert [failure.origins for failure in dead] == [(canonical(batch[1]),), (canonical(batch[2]),)]
    assert fates([item(1, {"n": 1})], *batch, dead=dead) == ["STORED", "DEAD", "DEAD"]


def test_of_two_records_of_one_key_in_a_batch_the_letter_is_of_the_one_with_its_data() -> None:
    batch = [record(1), record(1, data="other")]
    dead = failures(message(envelope(batch, record(1, data="other")), "enricher"))
    assert fates([item(1, {"n": 1})], *batch, dead=dead) == ["STORED", "DEAD"]


def test_of_two_records_of_one_key_in_a_batch_that_were_both_changed_the_first_is_the_stored_one() -> None:
    batch = [record(1, data="x"), record(1, data="y")]
    dead = failures(message(envelope(batch, record(1, data="Y")), "enricher"))
    assert fates([item(1, "X")], *batch, dead=dead) == ["STORED", "DEAD"]
    assert fates([], *batch, dead=dead + dead) == ["DEAD", "DEAD"]


@pytest.mark.parametrize("stage", ["validator", "enricher"])
def test_a_batch_that_died_as_a_whole_accounts_for_each_of_its_records(stage: str) -> None:
    batch = [record(1), record(2), {"id": "refused before"}]
    body = envelope(batch, [{"valid": True, **one} for one in batch[:2]]) if stage == "enricher" else batch
    dead = failures(message(body, stage))
    assert fates([], *batch, dead=dead) == ["DEAD", "DEAD", "DEAD" if stage == "validator" else "LOST"]


def test_a_line_that_is_a_batch_has_the_worst_fate_of_its_records() -> None:
    batch = [record(1), record(2)]
    assert fates([item(1, {"n": 1}), item(2, {"n": 2})], batch) == ["STORED"]
    assert fates([item(1, {"n": 1})], batch) == ["LOST"]
    assert fates([item(1, {"n": 1})], batch, dead=failures(message(record(2), "validator"))) == ["DEAD"]
    assert fates([], [], dead=failures(message([], "validator"))) == ["DEAD"]


# The table


def test_an_item_is_read_as_json_whatever_fields_it_has() -> None:
    stored = {
        "id": {"S": "a"},
        "timestamp": {"N": "12345678901234567890"},
        "data": {"S": '{"n":1.5}'},
        "enriched": {"BOOL": True},
        "version": {"S": "1.0"},
        "tags": {"L": [{"S": "x"}, {"M": {"y": {"NULL": True}}}]},
    }
    client = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Items": [stored]}]))
    (found,) = read_items(client, "table")
    assert (found.id, found.timestamp, found.data, found.enriched_by) == ("a", 12345678901234567890, '{"n":1.5}', "1.0")
    assert list(found.fields) == ["id", "timestamp", "data", "enriched", "tags", "version"]
    assert (found.fields["data"], found.fields["tags"]) == ({"n": 1.5}, ["x", {"y": None}])
