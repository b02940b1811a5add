"""What became of each record: by its key and data in the table, and by the dead letters."""

import io
import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, Self

import pytest

from pipeline.errors import MisuseError
from pipeline.records import outcomes as module
from pipeline.records.claims import Claims
from pipeline.records.dead import DeadRecords, Why
from pipeline.records.judgement import Judged, Judgement, Outcome
from pipeline.records.lines import prepare, read_lines
from pipeline.records.outcomes import Outcomes
from pipeline.records.table import Table
from pipeline.stack import attribute
from pipeline.stack.rate_limit import RateLimiter

from ..stack.samples import alias, envelope, letter, record, stack

Attributes = Mapping[str, Mapping[str, Any]]


class DynamoDb:
    def __init__(self, *items: Attributes) -> None:
        self.items = {(item["id"]["S"], item["timestamp"]["N"]): item for item in items}
        self.queries = list[str]()

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's
        ((name, asked),) = RequestItems.items()
        keys = asked["Keys"]
        assert len(keys) <= 100
        found = [self.items.get((key["id"]["S"], key["timestamp"]["N"])) for key in keys]
        return {"Responses": {name: [*filter(None, found)]}}

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, ExpressionAttributeValues: Any, **_: Any) -> Iterator[Any]:  # noqa: N803 - boto3's
        wanted = ExpressionAttributeValues[":id"]["S"]
        self.queries.append(wanted)
        of_id = [item for key, item in sorted(self.items.items()) if key[0] == wanted]
        yield from ({"Items": [item]} for item in of_id)


def item(number: int, data: object, *, at: int | None = None, version: str | None = "1.0") -> Attributes:
    stamp = str(at or record(number)["timestamp"])
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    found = {"id": {"S": f"r-{number}"}, "timestamp": {"N": stamp}, "data": {"S": text}}
    return {**found, "enriched": {"BOOL": True}, "version": {"S": version}} if version else found


def dead(*letters: Any) -> DeadRecords:
    found = DeadRecords()
    for one in letters:
        attribution = attribute(one, stack())
        found.add(attribution, Why(attribution.stage or "", one.error, one.error_code, one.request_id))
    return found


def judged(
    table: DynamoDb, *documents: object, letters: Any = (), changes_data: bool = True, started: int | None = None
) -> tuple[list[Judged], Outcomes]:
    """Judge lines, each a document or the bytes of one."""
    content = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)
    judgement = Judgement(
        Table(table, "t", RateLimiter()), dead(*letters), partial(prepare, started=started), changes_data
    )
    outcomes = Outcomes()
    outcomes.take(judgement, read_lines(io.BytesIO(content)))
    assert len(outcomes.few) == outcomes.total <= module.FEW
    return outcomes.few, outcomes


def fates(*items: Attributes, of: object, **options: Any) -> list[str]:
    assert isinstance(of, list)
    return [one.outcome.name for one in judged(DynamoDb(*items), *of, **options)[0]]


def unstamped(number: int, data: object) -> dict[str, Any]:
    return {"id": f"r-{number}", "data": data}


def test_each_outcome_has_its_reason() -> None:
    letters = [letter({"id": "bad"}, error="no data"), letter(record(9), sent_by="stranger")]
    lines = [record(1), {"id": "bad"}, b"{broken", record(2), record(3), unstamped(4, 1), unstamped(5, 1), record(9)]
    table = DynamoDb(item(1, {"n": 1}), item(2, "other"), item(4, 2, at=7), item(5, 1, at=7, version=None))
    found, outcomes = judged(table, *lines, letters=letters, changes_data=False)
    assert [(one.line, one.id, one.outcome, one.enriched_by) for one in found] == [
        (1, "r-1", Outcome.STORED, "1.0"),
        (2, "bad", Outcome.DEAD, None),
        (3, None, Outcome.REFUSED, None),
        (4, "r-2", Outcome.DIFFERENT, None),
        (5, "r-3", Outcome.MISSING, None),
        (6, "r-4", Outcome.UNKNOWN, None),
        (7, "r-5", Outcome.STORED, None),
        (8, "r-9", Outcome.MISSING, None),
    ]
    assert found[1].why == Why("validator", "no data", "200", "id-0")
    assert "it is not JSON" in found[2].why.reason
    assert outcomes.enriched_by == {"1.0": 1}
    assert [one.line for one in outcomes.listed(Outcome.MISSING, Outcome.DEAD)] == [2, 5, 8]
    assert [number for number in range(9) if number in outcomes.lines(Outcome.MISSING)] == [5, 8]


def test_what_can_have_no_key_is_not_looked_for() -> None:
    odd = [{"id": "", "data": 1}, {"id": 7, "data": 1}, {"id": "x" * 2049, "data": 1}, {"id": "\ud800", "data": 1}, 5]
    odd += [{"id": "a", "timestamp": stamp, "data": 1} for stamp in (0, -1, True, 1.5, "1", None)]
    table = DynamoDb()
    assert {one.outcome for one in judged(table, *odd)[0]} == {Outcome.MISSING}
    assert table.queries == []


def test_the_same_number_in_another_spelling_is_the_same_data() -> None:
    assert fates(item(1, [1, 100, 0]), of=[record(1, data=[1.0, 1e2, -0.0])], changes_data=False) == ["STORED"]
    assert fates(item(1, [1]), of=[record(1, data=[True])], changes_data=False) == ["DIFFERENT"]


def test_a_record_that_the_submission_stamped_is_found_by_its_stamp() -> None:
    of = [unstamped(1, "x"), unstamped(1, "x")]
    assert fates(item(1, "x", at=1000), of=of, started=1000) == ["STORED", "MISSING"]


def test_the_items_of_an_id_are_read_once_for_records_that_stand_together() -> None:
    table = DynamoDb(*(item(1, n, at=n + 1) for n in range(9)))
    assert {one.outcome for one in judged(table, *(unstamped(1, n) for n in range(9)))[0]} == {Outcome.STORED}
    assert table.queries == ["r-1"]


# Data that a stage changed


def test_a_record_whose_data_a_stage_changed_is_stored_and_said_to_be_changed() -> None:
    table = DynamoDb(item(1, {"n": 1, "more": 2}), item(2, {"n": 2}))
    (changed, kept), outcomes = judged(table, record(1), record(2))
    assert (changed.outcome, changed.changed, changed.enriched_by) == (Outcome.STORED, True, "1.0")
    assert (kept.outcome, kept.changed, outcomes.changed) == (Outcome.STORED, False, 1)


def test_a_stamped_record_whose_data_a_stage_changed_is_found_by_its_id() -> None:
    assert fates(item(1, "CHANGED", at=9), of=[unstamped(1, "submitted")]) == ["STORED"]


def test_another_time_is_another_record() -> None:
    assert fates(item(1, {"n": 1}, at=9), of=[record(1)]) == ["MISSING"]


def test_of_stamped_records_of_one_id_each_item_is_of_one() -> None:
    items = [item(1, "X", at=8), item(1, "Y", at=9)]
    of = [unstamped(1, "x"), unstamped(1, "y")]
    assert fates(*items, of=of) == ["STORED", "STORED"]
    assert fates(*items[:1], of=of) == ["STORED", "UNKNOWN"]
    assert fates(*items, of=[*of, unstamped(1, "z")]) == ["STORED", "STORED", "UNKNOWN"]


def test_an_item_with_the_data_of_one_line_is_not_taken_for_another_lines() -> None:
    assert fates(item(1, "y", at=9), of=[unstamped(1, "x"), unstamped(1, "y")]) == ["UNKNOWN", "STORED"]
    assert fates(item(1, {"n": 1}), of=[record(1, data="other"), record(1)]) == ["DIFFERENT", "STORED"]


def test_of_two_records_of_one_key_the_dead_one_is_not_the_stored_one_though_both_were_changed() -> None:
    first, second = record(1, data="x"), record(1, data="y")
    letters = [letter(envelope(second, {**second, "data": "Y"}), of="enricher")]
    assert fates(item(1, "X"), of=[first, second], letters=letters) == ["STORED", "DEAD"]
    assert fates(item(1, "X"), of=[second, first], letters=letters) == ["DEAD", "STORED"]


def test_the_same_record_on_two_lines_is_stored_for_both() -> None:
    assert fates(item(1, {"n": 1}), of=[record(1), record(1)]) == ["STORED", "STORED"]


def test_a_record_that_is_stored_and_dead_counts_as_stored() -> None:
    letters = [letter(record(1)), letter(record(2))]
    (same, changed), outcomes = judged(DynamoDb(item(1, {"n": 1}), item(2, "X")), record(1), record(2), letters=letters)
    assert (same.outcome, changed.outcome, outcomes.stored_and_dead) == (Outcome.STORED, Outcome.STORED, 2)


def test_many_records_of_one_id_are_judged_in_a_moment() -> None:
    table = DynamoDb(*(item(1, n, at=n + 1) for n in range(3_000)))
    lines = io.BytesIO(b"\n".join(json.dumps(unstamped(1, n + 0.5)).encode() for n in range(3_000)))
    judgement = Judgement(Table(table, "t", RateLimiter()), DeadRecords(), prepare, changes_data=True)
    started = time.process_time()
    outcomes = Outcomes()
    outcomes.take(judgement, read_lines(lines))
    assert outcomes.counts == {Outcome.STORED: 3_000}
    assert time.process_time() - started < 3


# Batches


def test_each_record_of_a_line_that_is_a_batch_is_judged() -> None:
    found, _ = judged(DynamoDb(item(1, {"n": 1})), [record(1), record(2)], letters=[letter(record(2))])
    assert [(one.line, one.outcome) for one in found] == [(1, Outcome.STORED), (1, Outcome.DEAD)]
    assert fates(of=[[]], letters=[letter([])]) == ["DEAD"]


def test_a_record_that_a_later_stage_refused_leads_to_its_line() -> None:
    batch = [record(1), record(2), unstamped(3, "x")]
    stamped = {"valid": True, **unstamped(3, "changed"), "timestamp": 9}
    letters = [letter(envelope(batch, one), of="enricher") for one in (record(2), stamped)]
    assert fates(item(1, {"n": 1}), of=batch, letters=letters) == ["STORED", "DEAD", "DEAD"]


def test_of_two_records_of_one_key_in_a_batch_the_letter_is_of_the_one_with_its_data() -> None:
    batch = [record(1), record(1, data="other")]
    letters = [letter(envelope(batch, record(1, data="other")), of="enricher")]
    assert fates(item(1, {"n": 1}), of=batch, letters=letters) == ["STORED", "DEAD"]
    assert fates(of=batch, letters=letters) == ["MISSING", "DEAD"]


def test_of_two_records_of_one_key_in_a_batch_that_were_both_changed_the_first_is_the_stored_one() -> None:
    batch = [record(1, data="x"), record(1, data="y")]
    letters = [letter(envelope(batch, record(1, data="Y")), of="enricher")]
    assert fates(item(1, "X"), of=batch, letters=letters) == ["STORED", "DEAD"]
    assert fates(of=batch, letters=letters * 2) == ["DEAD", "DEAD"]


@pytest.mark.parametrize("stage", ["validator", "enricher"])
def test_a_batch_that_died_as_a_whole_accounts_for_each_of_its_records(stage: str) -> None:
    batch = [record(1), record(2), {"id": "refused before"}]
    body = envelope(batch, [{"valid": True, **one} for one in batch[:2]]) if stage == "enricher" else batch
    last = "DEAD" if stage == "validator" else "MISSING"
    assert fates(of=batch, letters=[letter(body, of=stage)]) == ["DEAD", "DEAD", last]


def test_a_bare_record_with_a_request_context_of_its_own_is_the_validators() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=record(2))
    assert fates(of=[own], letters=[letter(own)]) == ["DEAD"]


def test_a_record_that_whoever_submitted_it_stamped_is_found_by_its_id_and_data() -> None:
    letters = [letter({**unstamped(1, "x"), "timestamp": 7})]
    assert fates(of=[unstamped(1, "x"), unstamped(1, "y")], letters=letters) == ["DEAD", "MISSING"]


# Many


def many(*outcomes: Judged) -> Outcomes:
    found = Outcomes()
    found.take(SimpleNamespace(run=lambda _: outcomes, claims=Claims()), [])  # type: ignore[arg-type]
    return found


def test_of_many_records_only_what_is_not_stored_is_listed() -> None:
    stored = [Judged(number, f"r-{number}", Outcome.STORED) for number in range(1, 26)]
    lost = Judged(26, "\ud800", Outcome.MISSING)
    assert len(many(*stored).few) == module.FEW
    with many(*stored, lost) as found:
        assert (found.few, found.total) == ([], 26)
        assert list(found.listed(*Outcome)) == [lost]


def test_reasons_beyond_a_thousand_are_counted_together() -> None:
    refused = (Judged(number, None, Outcome.REFUSED, Why(reason=f"reason {number}")) for number in range(1500))
    groups = many(*refused).groups()
    assert (groups[0][0].reason, groups[0][1], len(groups)) == (module.OTHERS, 500, module.MOST_GROUPS + 1)


def test_a_disk_without_room_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TemporaryFile", lambda *_: open("/dev/full", "w+"))  # noqa: SIM115, PTH123
    lost = (Judged(number, None, Outcome.MISSING) for number in range(1000))
    with pytest.raises(MisuseError, match=r"can't be written .No space left on device.: name another folder by TMPDIR"):
        many(*lost)
