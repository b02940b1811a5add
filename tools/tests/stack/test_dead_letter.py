import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stack import DeadLetter, attribute

from .samples import STAGES, alias, envelope, letter, message, record, sender, stack

VALIDATED = {"valid": True, **record(1)}
ENRICHED = {**record(1), "enriched": True, "enrichedAt": 1, "version": "1.0"}
FIRST = envelope(record(1), VALIDATED, request_id="first")
SECOND = envelope(FIRST, ENRICHED, stage="enricher", request_id="second")
STACK = stack()

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIRST, *FIRST["requestContext"], "id", "data"]), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(("stage", "event"), [("validator", record(1)), ("enricher", FIRST), ("processor", SECOND)])
def test_a_letter_is_of_the_stage_whose_role_sent_it(stage: str, event: object) -> None:
    assert attribute(letter(event, of=stage), STACK).stage == stage


@pytest.mark.parametrize(
    "sent_by", ["", ":", "123456789012", "AIDAOPERATOR", "AROASTRANGER:session", "AROAVALIDATORX:a"]
)
def test_what_no_role_of_the_stack_sent_is_of_no_stage(sent_by: str) -> None:
    found = attribute(letter(record(1), sent_by=sent_by), STACK)
    assert (found.stage, found.given) == (None, {})
    assert sent_by in found.problem


def test_a_stack_that_does_not_name_its_roles_gets_no_letter_attributed() -> None:
    nameless = STACK._replace(stages={name: stage._replace(role_id="") for name, stage in STACK.stages.items()})
    assert attribute(letter(record(1), sent_by=""), nameless).stage is None


@pytest.mark.parametrize("event", [FIRST, SECOND])
def test_an_envelope_that_a_producer_wrote_is_the_entrys_event_and_no_result(event: object) -> None:
    found = attribute(letter(event), STACK)
    assert (found.stage, found.given, found.request_ids) == ("validator", {"validator": event}, ("id-0",))


def test_a_record_with_a_context_and_a_payload_of_its_own_is_what_was_submitted() -> None:
    own = record(1, requestContext={"functionArn": alias("validator")}, requestPayload=FIRST)
    found = attribute(letter(envelope(envelope(own, VALIDATED), ENRICHED, stage="enricher"), of="processor"), STACK)
    assert found.given["validator"] == own


def test_the_chain_is_what_each_stage_was_given() -> None:
    found = attribute(letter(SECOND, of="processor", request_id="third"), STACK)
    assert list(found.given.items()) == [("processor", SECOND), ("enricher", FIRST), ("validator", record(1))]
    assert found.request_ids == ("third", "second", "first")
    assert found.record == ENRICHED


def _without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


def in_context(**changed: object) -> dict[str, Any]:
    return {**FIRST, "requestContext": {**FIRST["requestContext"], **changed}}


OWN = alias("validator")
ELSEWHERE = (OWN.replace("us-east-1", "eu-west-1"), OWN.replace("123456789012", "000000000000"), STACK.queue_arn)


@pytest.mark.parametrize(
    "event",
    [
        *(record(1), [record(1)], '"text"', None, SECOND, *(_without(FIRST, name) for name in FIRST)),
        *(in_context(condition="RetriesExhausted"), in_context(requestId=7)),
        {**FIRST, "requestContext": _without(FIRST["requestContext"], "functionArn")},
        *(in_context(functionArn=arn) for arn in (None, 7, alias("billing"), alias("processor"), *ELSEWHERE)),
    ],
)
def test_what_does_not_hold_a_whole_result_of_the_stage_before_is_of_no_stage(event: object) -> None:
    found = attribute(letter(event, of="enricher"), STACK)
    assert (found.stage, found.given) == (None, {})
    assert "the enricher sent it" in found.problem


def test_each_step_of_the_chain_has_to_be_a_whole_result() -> None:
    found = attribute(letter(envelope(record(1), ENRICHED, stage="enricher"), of="processor"), STACK)
    assert found.stage is None
    assert "no result of the validator" in found.problem


def test_the_version_or_alias_that_an_envelope_names_makes_no_difference() -> None:
    assert (
        attribute(letter(in_context(functionArn=OWN.replace(":live", ":7")), of="enricher"), STACK).stage == "enricher"
    )


def test_a_stage_beside_the_pipeline_was_given_its_event_as_it_is() -> None:
    beside = stack(*STAGES, "reader", pipeline=STAGES)
    found = attribute(letter({"bucket": "files"}, of="reader"), beside)
    assert (found.stage, found.given) == ("reader", {"reader": {"bucket": "files"}})


FILES_ARN = STACK.queue_arn.replace("letters", "files")
RULE = "arn:aws:events:us-east-1:123456789012:rule/files"
S3_EVENT = {"detail": {"bucket": {"name": "files"}, "object": {"key": "a.jsonl"}}}
WITH_FILES = stack(*STAGES, "reader", pipeline=STAGES)._replace(bucket="files", files_arn=FILES_ARN)


def about_file(event: object, *, moved_from: str = "", sent_by: str = "", **written: str) -> DeadLetter:
    """A message that SQS moved, or that EventBridge wrote."""
    source = {"DeadLetterQueueSourceArn": moved_from} if moved_from else {}
    return message(event, {"SenderId": sent_by, **source}, **written)


def test_what_sqs_moved_from_the_queue_of_files_is_the_readers_whoever_sent_it() -> None:
    for sent_by in ("AROAEVENTBRIDGE:x", sender("reader"), sender("processor")):
        moved = about_file(S3_EVENT, moved_from=FILES_ARN, sent_by=sent_by)
        assert attribute(moved, WITH_FILES) == ("reader", "", {"reader": S3_EVENT}, ("m",))
        assert "the reader's log says why" in moved.error


def test_what_sqs_moved_from_another_queue_is_nobodys_even_if_a_role_of_the_stack_sent_it() -> None:
    moved = about_file(record(1), moved_from=f"{FILES_ARN}2", sent_by=sender("validator"))
    assert attribute(moved, WITH_FILES).stage is None
    assert attribute(about_file(S3_EVENT, moved_from=FILES_ARN), STACK).stage is None


def test_a_letter_of_eventbridge_is_the_readers_if_it_is_about_the_queue_and_the_bucket_of_the_stack() -> None:
    written = {"RULE_ARN": RULE, "TARGET_ARN": FILES_ARN, "ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "no right"}
    found = about_file(S3_EVENT, **written)
    assert attribute(found, WITH_FILES) == ("reader", "", {"reader": S3_EVENT}, ("m",))
    assert found.error == "no right"


@pytest.mark.parametrize(
    ("event", "target"),
    [
        *((S3_EVENT, arn) for arn in (STACK.queue_arn, FILES_ARN.replace("123456789012", "210987654321"))),
        *(({"detail": told}, FILES_ARN) for told in ({"bucket": {"name": "another"}}, "files")),
        *((event, FILES_ARN) for event in (record(1), [])),
    ],
)
def test_any_other_letter_that_says_it_is_eventbridges_is_nobodys(event: object, target: str) -> None:
    assert attribute(about_file(event, RULE_ARN=RULE, TARGET_ARN=target), WITH_FILES).stage is None


@pytest.mark.parametrize("body", ["{", "", "order-1", "[" * 100_000])
def test_what_is_not_json_is_of_no_stage(body: str) -> None:
    assert attribute(letter(body), STACK)[:2] == (None, "its body is not JSON")


@given(event=anything, stage=st.sampled_from(STAGES))
def test_no_body_whatever_makes_another_stage_of_it_or_a_longer_chain(event: object, stage: str) -> None:
    found = attribute(letter(json.dumps(event), of=stage), STACK)
    place = STAGES.index(stage)
    assert found.stage in (stage, None)
    if found.stage:
        assert list(found.given) == list(STAGES[place::-1])
        assert found.given[stage] == event


def test_a_message_without_any_attribute_is_read_too() -> None:
    found = DeadLetter.of_message({"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(record(1))})
    assert found == DeadLetter("m", "r", found.body, "", 0, 0, "", "", "")
    assert found.time == "1970-01-01T00:00:00Z"


def test_a_message_is_read_with_all_that_lambda_and_sqs_say_of_it() -> None:
    attributes = {"SenderId": sender("enricher"), "SentTimestamp": "1000", "ApproximateReceiveCount": "2"}
    found = message(1, attributes, RequestID="id", ErrorCode="200", ErrorMessage="it failed")
    assert found == DeadLetter("m", "r", "1", sender("enricher"), 1000, 2, "id", "200", "it failed")
    assert (found.event, found.time) == (1, "1970-01-01T00:00:01Z")


@pytest.mark.parametrize(
    ("stage", "event", "beside"),
    [
        ("reader", {"detail": {"object": {"key": "a.jsonl"}}}, True),
        ("reader", FIRST, False),  # a stage that is retired
        ("validator", record(1), False),
        ("enricher", FIRST, False),
    ],
)
def test_a_function_is_beside_the_pipeline_if_no_stage_hands_on_to_it(stage: str, event: object, beside: bool) -> None:
    known = stack("validator", "enricher", "processor", "reader", pipeline=STAGES)
    assert attribute(letter(event, of=stage), known).is_beside is beside
