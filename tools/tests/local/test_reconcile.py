"""What became of each line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pipeline.local.errors import LocalError
from pipeline.local.lines import Line
from pipeline.local.matching import canonical
from pipeline.local.reconcile import Fate, Ledger, Outcome
from pipeline.local.results import Failure, Item
from pipeline.local.submit import Submission
from tools.tests.local.letters import failures, message
from tools.tests.stack.samples import alias, envelope, record


def test_equal_documents_are_equal_texts_and_others_are_not() -> None:
    assert canonical({"a": 1, "b": [1.5, None]}) == canonical({"b": [1.5, None], "a": 1})
    assert len({canonical(value) for value in (1, True, "1", 1.5, None, [1], {"1": 1})}) == 7


def test_a_bare_record_with_a_request_context_of_its_own_is_the_validators() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=record(2))
    assert fates([], own, dead=failures(message(own, "validator"))) == ["DEAD"]


# Lines and items


def judged(items: list[Item], *documents: object, dead: list[Failure] | None = None) -> list[Outcome]:
    """Judge lines, each a document that Lambda accepted."""
    ledger = Ledger()
    ledger.add(submissions(documents))
    ledger.judge(items, dead or [])
    return list(ledger.outcomes(*Fate))


def submissions(documents: Iterable[object]) -> Iterator[Submission]:
    for number, document in enumerate(documents, 1):
        yield Submission(Line(number, json.dumps(document).encode()), "request")


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


def test_a_disk_without_room_is_one_sentence() -> None:
    ledger = Ledger()
    ledger._database.execute("PRAGMA max_page_count = 8")
    with pytest.raises(LocalError, match=r"can't be kept: database or disk is full; TMPDIR names another"):
        ledger.add(submissions(map(record, range(1000))))


# Batches


def test_each_refused_record_of_a_batch_is_dead_and_no_other() -> None:
    good, bad = record(1), {"id": "r-2"}
    dead = failures(message(bad, "validator"))
    assert fates([item(1, {"n": 1})], good, bad, dead=dead) == ["STORED", "DEAD"]


def test_a_record_that_a_later_stage_refused_leads_to_its_line() -> None:
    batch = [record(1), record(2), unstamped(3, "x")]
    stamped = {"valid": True, **unstamped(3, "changed"), "timestamp": 9}
    dead = failures(message(envelope(batch, record(2)), "enricher"), message(envelope(batch, stamped), "enricher"))
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
