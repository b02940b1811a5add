"""The payloads are given to the stages' own handlers: what they take is what fits."""

import json
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import record as contract
import validator
from core import dead_letters
from pipeline.letters.payload import NotGivenError, payloads
from pipeline.records.timestamps import lacks_timestamp
from pipeline.stack import attribute
from tests.own import enricher

from ..stack.samples import STAGES, alias, envelope, letter, record, stack

SENT = 1_700_000_999_000
STACK = stack()
Document = dict[str, Any]


def validated(one: Document | None = None) -> Document:
    return envelope(one or record(1), validator.handler(one or record(1), None))


def enriched(one: Document | None = None) -> Document:
    before = validated(one)
    return envelope(before, enricher.handler(before, None), stage="enricher")


EVENTS = dict(zip(STAGES, (record(1), validated(), enriched()), strict=True))


def sent(event: object, *, of: str, to: str | None = None, split: bool = False) -> list[str]:
    one = letter(event, of=of, sent=SENT)
    return [text.decode() for text in payloads(one, attribute(one, STACK), to or of, split=split)]


def documents(event: object, *, of: str, to: str | None = None, split: bool = False) -> list[Any]:
    return [json.loads(text) for text in sent(event, of=of, to=to, split=split)]


def taken(stage: str, event: Any) -> contract.Record:
    return contract.parse(event if stage == "validator" else contract.unwrap(event))


EARLIER = [(failed, to) for failed in STAGES for to in STAGES[: STAGES.index(failed) + 1]]
LATER = [(failed, to) for failed in STAGES for to in STAGES[STAGES.index(failed) + 1 :]]


@pytest.mark.parametrize(("failed", "to"), EARLIER)
def test_the_failed_stage_and_those_before_it_take_what_is_sent_to_them(failed: str, to: str) -> None:
    (event,) = documents(EVENTS[failed], of=failed, to=to)
    assert taken(to, event) == contract.parse(record(1))


@pytest.mark.parametrize(("failed", "to"), LATER)
def test_a_later_stage_was_given_nothing_and_gets_nothing(failed: str, to: str) -> None:
    with pytest.raises(NotGivenError, match=f"it failed at the {failed}, so the {to} was never given its event"):
        sent(EVENTS[failed], of=failed, to=to)


@pytest.mark.parametrize("stage", STAGES)
def test_the_failed_stage_gets_its_event_byte_for_byte(stage: str) -> None:
    body = json.dumps(EVENTS[stage], indent=3)
    assert sent(body, of=stage) == [body]


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "12345678901234567890.50"])
def test_an_earlier_stage_gets_its_part_of_the_body_byte_for_byte(number: str) -> None:
    submitted = '{ "id": "\\u00e4", "timestamp": 7,\t"data": ' + number + " }"
    body = json.dumps(enriched()).replace(json.dumps(record(1)), submitted)
    assert sent(body, of="processor", to="validator") == [submitted]
    assert submitted in sent(body, of="processor", to="enricher")[0]


def test_of_members_of_one_name_the_last_counts_as_for_every_reader_of_json() -> None:
    body = json.dumps(validated())
    twice = body[:-1] + ', "requestPayload": {"id": "last", "timestamp": 1, "data": 1}}'
    assert documents(twice, of="enricher", to="validator") == [{"id": "last", "timestamp": 1, "data": 1}]


@pytest.mark.parametrize("event", [validated(), enriched(), envelope(record(1), record(2))])
def test_an_envelope_that_a_producer_wrote_goes_back_to_the_entry_as_it_is(event: Document) -> None:
    assert documents(event, of="validator") == [event]


@pytest.mark.parametrize("of", ["enricher", "processor"])
def test_a_record_with_a_context_and_a_payload_of_its_own_is_what_the_entry_gets(of: str) -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=validated(record(9)))
    event = validated(own) if of == "enricher" else enriched(own)
    assert documents(event, of=of, to="validator") == [own]
    assert documents(event, of=of) == [event]


def test_a_record_without_a_timestamp_gets_its_letters() -> None:
    assert documents({"id": "a", "data": 1}, of="validator") == [{"id": "a", "data": 1, "timestamp": SENT}]


@pytest.mark.parametrize("of", ["enricher", "processor"])
def test_the_entry_gets_the_timestamp_that_it_gave_before(of: str) -> None:
    submitted = {"id": "a", "data": 1}
    stamped = envelope(submitted, {"valid": True, **submitted, "timestamp": 42})
    deeper = envelope(stamped, {**submitted, "timestamp": 42, "enriched": True}, stage="enricher")
    event = stamped if of == "enricher" else deeper
    assert documents(event, of=of, to="validator") == [{**submitted, "timestamp": 42}]


@pytest.mark.parametrize("result", [None, 7, [], {"timestamp": True}, {"timestamp": "7"}])
def test_a_result_without_a_timestamp_leaves_the_letters(result: object) -> None:
    (event,) = documents(envelope({"id": "a", "data": 1}, result), of="enricher", to="validator")
    assert event["timestamp"] == SENT


def test_an_event_that_is_no_object_is_sent_as_it_is() -> None:
    assert sent('"order-1"', of="validator") == ['"order-1"']


def test_an_event_that_is_nested_too_deep_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.letters.payload.member", Mock(side_effect=RecursionError))
    with pytest.raises(NotGivenError, match="nested too deep"):
        sent(validated(), of="enricher", to="validator")


RECORDS = st.fixed_dictionaries(
    {"id": st.sampled_from("ab"), "data": st.integers(0, 2)}, optional={"timestamp": st.integers(1, 3)}
)


@given(st.lists(RECORDS | st.just({"id": "a"}) | st.just(7), min_size=1, max_size=12), st.data())
def test_a_letter_of_a_batch_is_sent_as_if_it_still_held_the_whole_batch(batch: list[Any], data: st.DataObject) -> None:
    times = count(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("record.now", lambda: next(times))
        patch.setattr("core.dead_letters.send", lambda *_, **__: None)
        before = envelope(batch, validator.handler(batch, SimpleNamespace(aws_request_id="")))
        assume(before["responsePayload"])
        event = envelope(before, enricher.handler(before, None), stage="enricher")
    refused = data.draw(st.sampled_from(event["responsePayload"]))
    whole = {**event, "responsePayload": refused}
    (((body, _)),) = dead_letters._bodies(event, [(refused, contract.InvalidRecord(""))])
    for target in STAGES[:2]:
        (once,), (now,) = (documents(one, of="processor", to=target) for one in (whole, body))
        assert taken(target, now).own == taken(target, once).own


def bare(*ids: str, **more: Any) -> list[Document]:
    """Records without a timestamp."""
    return [{"id": one, "data": number, **more} for number, one in enumerate(ids)]


def test_records_of_a_batch_without_a_timestamp_get_stable_and_distinct_ones() -> None:
    batch = [*bare("a", "a"), record(1), "no record"]
    stamped = [{**bare("a", "a")[0], "timestamp": SENT}, {**bare("a", "a")[1], "timestamp": SENT + 1}, *batch[2:]]
    assert documents(batch, of="validator") == [stamped]
    assert documents(batch, of="validator", split=True) == stamped


def results(*numbers: int, records: list[Document]) -> list[Document]:
    """What the validator made of some of the records: each has its place's timestamp."""
    return [{"valid": True, "timestamp": 100 + number, **records[number]} for number in numbers]


@pytest.mark.parametrize("of", ["enricher", "processor"])
@pytest.mark.parametrize("accepted", [(0, 1, 2, 3), (0, 2, 3), (1,), (3,)])
def test_the_entry_gets_a_batch_with_the_timestamps_that_it_gave_to_those_that_it_accepted(
    of: str, accepted: tuple[int, ...]
) -> None:
    batch = [*bare("a", "b", "a"), record(9)]
    event = envelope(batch, results(*accepted, records=batch))
    if of == "processor":
        event = envelope(event, results(*accepted, records=batch), stage="enricher")
    (sent_again,) = documents(event, of=of, to="validator")
    given_before = [100 + number if number in accepted else SENT + number for number in range(3)]
    assert [one["timestamp"] for one in sent_again] == [*given_before, record(9)["timestamp"]]
    assert [without_stamps(*pair) for pair in zip(sent_again, batch, strict=True)] == batch


@pytest.mark.parametrize("of", ["enricher", "processor"])
@pytest.mark.parametrize("failed", [0, 2, 3])
def test_one_record_of_a_batch_goes_back_alone(of: str, failed: int) -> None:
    batch = [*bare("a", "b", "a"), record(9)]
    (alone,) = results(failed, records=batch)
    event = envelope(batch, alone)
    if of == "processor":
        first = envelope(batch, results(0, 2, 3, records=batch))
        event = envelope(first, {**alone, "enriched": True}, stage="enricher")
        assert documents(event, of=of, to="enricher") == [{**first, "responsePayload": alone}]
    (sent_again,) = documents(event, of=of, to="validator")
    assert sent_again == {"timestamp": 100 + failed, **batch[failed]}
    assert documents(event, of=of) == [event]


@pytest.mark.parametrize("failed", [0, 1, 2])
def test_of_records_of_one_key_the_one_with_the_same_data_goes_back(failed: int) -> None:
    batch = [{"id": "a", "timestamp": 7, "data": data} for data in (1, True, [1])]
    event = envelope(envelope(batch, [{"valid": True, **batch[0]}, {"valid": True, **batch[1]}]), {}, stage="enricher")
    event["responsePayload"] = {"enriched": True, **batch[failed]}
    assert sent(event, of="processor", to="validator") == [json.dumps(batch[failed])]


def test_of_records_of_one_key_none_is_guessed() -> None:
    batch = [{"id": "a", "timestamp": 7, "data": data} for data in (1, 2)]
    with pytest.raises(NotGivenError, match="which record of its batch"):
        sent(envelope(batch, {**batch[0], "data": "changed"}), of="enricher", to="validator")


@pytest.mark.parametrize("result", [None, 7, {"id": "other", "timestamp": 1}, {"id": "a"}])
def test_a_record_that_is_not_found_in_its_batch_is_not_sent_to_an_earlier_stage(result: object) -> None:
    with pytest.raises(NotGivenError, match="which record of its batch"):
        sent(envelope(bare("a", "b"), result), of="enricher", to="validator")


@pytest.mark.parametrize("split", [False, True])
def test_records_of_a_batch_are_sent_byte_for_byte(split: bool) -> None:
    each = ['{ "id": "\\u00e4", "timestamp": 7,\t"data": 1e400 }', '{"id":"b","timestamp":1,"data":1.10}']
    batch = f"[{',  '.join(each)}]"
    assert sent(batch, of="validator", split=split) == (each if split else [batch])
    body = json.dumps(envelope([], "here")).replace('"here"', batch)
    wrapped = [body.replace(batch, text) for text in each]
    assert sent(body, of="enricher", split=split) == (wrapped if split else [body])


NAMES = st.sampled_from([*validated(), *validated()["requestContext"], "id", "data", "timestamp"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)
whole = st.builds(envelope, anything, anything)
deeper = st.builds(lambda event, result: envelope(event, result, stage="enricher"), whole | anything, anything)


def given_to(event: Any, failed: str, to: str) -> Any:
    """What a stage was given, by walking from the one that failed."""
    for _ in range(STAGES.index(failed) - STAGES.index(to)):
        event = event["requestPayload"]
    return event


def without_stamps(sent_now: Any, was: Any) -> Any:
    if isinstance(was, list) and isinstance(sent_now, list) and len(was) == len(sent_now):
        return [without_stamps(*pair) for pair in zip(sent_now, was, strict=True)]
    if lacks_timestamp(was) and isinstance(sent_now, dict):
        return {name: value for name, value in sent_now.items() if name != "timestamp"}
    return sent_now


@given(event=anything | whole | deeper, failed=st.sampled_from(STAGES), to=st.sampled_from(STAGES), split=st.booleans())
def test_whatever_a_letter_holds_only_what_that_stage_was_given_is_sent_or_nothing(
    event: Any, failed: str, to: str, split: bool
) -> None:
    one = letter(event, of=failed, sent=SENT)
    found = attribute(one, STACK)
    try:
        texts = payloads(one, found, to, split=split)
    except NotGivenError:
        return
    assert found.stage == failed
    assert STAGES.index(to) <= STAGES.index(failed)
    was = given_to(json.loads(one.body), failed, to)
    for now in map(json.loads, texts):
        if to == "validator":
            whole_or_one = [was, *was] if isinstance(was, list) else [was]
            assert any(without_stamps(now, given_before) == given_before for given_before in whole_or_one)
        elif now != was:
            assert now == {**was, "responsePayload": now["responsePayload"]}
            assert now["responsePayload"] in was["responsePayload"]
    if not split and to == failed != "validator":
        assert [text.decode() for text in texts] == [one.body]


@pytest.mark.parametrize("split", [False, True])
def test_a_file_that_could_not_be_read_is_started_again_with_its_own_event(split: bool) -> None:
    known = stack("validator", "enricher", "processor", "reader", pipeline=STAGES)
    body = '{"detail": {"object": {"key": "a.jsonl"}}, "continued": {"line": 7}}'
    one = letter(body, of="reader")
    assert payloads(one, attribute(one, known), "reader", split=split) == [body.encode()]
