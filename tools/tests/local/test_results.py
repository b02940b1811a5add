"""What a run left, as it is read."""

from __future__ import annotations

import json
from types import SimpleNamespace

from pipeline.local.matching import canonical
from pipeline.local.results import read_items
from tools.tests.local.letters import failures, message
from tools.tests.stack.samples import alias, envelope, record


def test_a_bare_record_with_a_request_context_of_its_own_is_the_validators() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=record(2))
    (failure,) = failures(message(own, "validator"))
    assert (failure.stage, json.loads(*failure.origins)) == ("validator", own)


def test_a_letter_of_a_later_stage_leads_to_the_submitted_record() -> None:
    (failure,) = failures(message(envelope(record(1), {"valid": True, **record(1)}), "enricher"))
    assert (failure.stage, json.loads(*failure.origins)) == ("enricher", record(1))


def test_a_letter_that_no_role_of_the_stack_sent_is_of_no_stage() -> None:
    (failure,) = failures(message(record(1), "stranger"))
    assert failure.stage == "unknown"


def test_a_letter_of_a_batch_that_a_later_stage_refused_leads_to_the_record_of_its_key() -> None:
    batch = [record(1), record(2), {"id": "r-3", "data": "x"}]
    stamped = {"valid": True, "id": "r-3", "data": "changed", "timestamp": 9}
    dead = failures(message(envelope(batch, record(2)), "enricher"), message(envelope(batch, stamped), "enricher"))
    assert [failure.origins for failure in dead] == [(canonical(batch[1]),), (canonical(batch[2]),)]


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
