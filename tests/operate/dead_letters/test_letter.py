import json

import pytest

from operate.dead_letters.letter import Letter

from ..fake_aws import alias
from ..samples import STACK_READ, envelope, letter, record

VALIDATED = {"valid": True, **record(1)}
ENRICHED = {**record(1), "enriched": True, "enrichedAt": 1, "version": "1.0"}


@pytest.mark.parametrize("event", [record(1), {"id": "a"}, [1], '"order"', 7, None, {"requestContext": "none"}])
def test_what_lambda_wrote_without_an_envelope_is_the_entrys(event: object) -> None:
    assert letter(event).attribute(STACK_READ).stage == "validator"


def test_a_record_is_the_entrys_whoever_wrote_it() -> None:
    assert letter(record(1), request_id="").attribute(STACK_READ).stage == "validator"


@pytest.mark.parametrize(("before", "failed"), [("validator", "enricher"), ("enricher", "processor")])
def test_an_envelope_names_the_stage_before_the_one_that_failed(before: str, failed: str) -> None:
    assert letter(envelope(record(1), VALIDATED, stage=before)).attribute(STACK_READ).stage is failed


def test_the_version_or_alias_that_an_envelope_names_makes_no_difference() -> None:
    document = envelope(record(1), VALIDATED)
    document["requestContext"]["functionArn"] = alias("validator").replace(":live", ":$LATEST")
    assert letter(document).attribute(STACK_READ).stage == "enricher"


@pytest.mark.parametrize(
    ("arn", "problem"),
    [
        (alias("billing"), "not of this stack"),
        (alias("validator").replace("us-east-1", "eu-west-1"), "not of this stack"),
        (alias("validator").replace("123456789012", "000000000000"), "not of this stack"),
        (alias("processor"), "goes to no stage"),
        ("arn:aws:sqs:us-east-1:123456789012:letters", "not of this stack"),
        (None, "no function"),
        (7, "not of this stack"),
    ],
)
def test_an_envelope_of_another_function_can_not_be_attributed(arn: object, problem: str) -> None:
    document = envelope(record(1), VALIDATED)
    document["requestContext"]["functionArn"] = arn
    attribution = letter(document).attribute(STACK_READ)
    assert attribution.stage is None
    assert problem in attribution.problem


@pytest.mark.parametrize("body", ["{", "", "order-1", "[" * 100_000])
def test_what_is_not_json_can_not_be_attributed(body: str) -> None:
    assert letter(body).attribute(STACK_READ) == (None, "its body is not JSON")


@pytest.mark.parametrize("event", [{"Records": []}, {"id": "a"}, [1], "hello"])
def test_what_neither_lambda_wrote_nor_is_a_record_can_not_be_attributed(event: object) -> None:
    assert letter(event, request_id="").attribute(STACK_READ).stage is None


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (record(1), "r-1"),
        (envelope(record(1), VALIDATED), "r-1"),
        (envelope(envelope(record(1), VALIDATED), ENRICHED, stage="enricher"), "r-1"),
        (envelope(record(1), None), "r-1"),
        ({"id": 7}, None),
        ("order", None),
    ],
)
def test_the_record_is_named_where_it_has_an_id(event: object, found: str | None) -> None:
    assert letter(event).record_id == found


def test_the_request_ids_are_those_of_all_the_invocations_that_led_to_it() -> None:
    first = envelope(record(1), VALIDATED, request_id="first")
    second = envelope(first, ENRICHED, stage="enricher", request_id="second")
    assert list(letter(second, request_id="third").request_ids) == ["third", "second", "first"]


def test_a_message_without_any_attribute_is_read_too() -> None:
    found = Letter.of_message({"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(record(1))})
    assert (found.sent, found.request_id, found.error) == (0, "", "")
    assert found.time == "1970-01-01T00:00:00Z"


def test_a_stage_that_was_added_to_the_pipeline_is_found_by_the_destinations() -> None:
    longer = STACK_READ._replace(
        aliases={**STACK_READ.aliases, "auditor": alias("auditor")},
        after={"validator": "enricher", "enricher": "auditor", "auditor": "processor"},
    )
    assert letter(envelope(record(1), {}, stage="enricher")).attribute(longer).stage == "auditor"
    assert letter(envelope(record(1), {}, stage="auditor")).attribute(longer).stage == "processor"
