"""The command `redrive`, as a user runs it, against the fake AWS."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.stack import invoke

from ..conftest import Ran
from ..fake_aws import Failure, FakeAws, Invocation
from ..stack.samples import ACCOUNT, STAGES, alias, envelope, record

Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(invoke, "LONGEST_DELAY", 0.01)


def of_enricher(number: int) -> dict[str, object]:
    return envelope(record(number), {"valid": True, **record(number)})


def of_processor(number: int) -> dict[str, object]:
    return envelope(of_enricher(number), {**record(number), "enriched": True}, stage="enricher")


def test_each_letter_goes_to_the_stage_that_failed_and_is_deleted(aws: FakeAws, operate: Run) -> None:
    bodies = {"validator": record(1), "enricher": of_enricher(2), "processor": of_processor(3)}
    for stage, body in bodies.items():
        aws.put(body, of=stage)
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"]) == (0, 3)
    sent = {invocation.function: json.loads(invocation.payload) for invocation in aws.invocations}
    assert sent == {alias(stage): body for stage, body in bodies.items()}
    assert not aws.messages


@pytest.mark.parametrize("to", ["validator", "entry"])
def test_the_entry_gets_what_was_submitted(aws: FakeAws, operate: Run, to: str) -> None:
    for stage, body in zip(STAGES, (record(1), of_enricher(2), of_processor(3)), strict=True):
        aws.put(body, of=stage)
    ran = operate("redrive", "--yes", "--to", to)
    assert ran.code == 0
    assert {invocation.function for invocation in aws.invocations} == {alias("validator")}
    assert sorted(event["id"] for event in aws.payloads) == ["r-1", "r-2", "r-3"]
    assert all("requestContext" not in event for event in aws.payloads)


def test_an_earlier_stage_gets_what_it_was_given(aws: FakeAws, operate: Run) -> None:
    aws.put(of_processor(1), of="processor")
    operate("redrive", "--yes", "--to", "enricher")
    assert [invocation.function for invocation in aws.invocations] == [alias("enricher")]
    assert aws.payloads == [of_enricher(1)]


def test_a_letter_is_never_sent_to_a_later_stage_than_the_one_that_failed(aws: FakeAws, operate: Run) -> None:
    left = aws.put(of_processor(1))
    for options in (("--yes",), ("--dry-run",)):
        ran = operate("redrive", "--to", "processor", *options)
        assert f"Left: letter {left}, not for that stage" in ran.err
        assert "it failed at the validator, so the processor was never given its event" in ran.err
    assert (aws.invocations, list(aws.messages)) == ([], [left])


@pytest.mark.parametrize("sender", ["", "AROAVALIDATOR2:a"])
@pytest.mark.parametrize("to", [(), ("--to", "entry")])
def test_what_no_role_of_the_stack_sent_is_left_and_named(
    aws: FakeAws, operate: Run, sender: str, to: tuple[str, ...]
) -> None:
    planted = [aws.put(body, sent_by=sender) for body in (record(1), of_enricher(2), of_processor(3))]
    ran = operate("redrive", "--yes", *to)
    assert (ran.code, ran.counts["of no known stage"]) == (1, 3)
    assert (aws.invocations, aws.visible) == ([], 3)
    assert all(message_id in ran.err for message_id in planted)


def test_only_the_chosen_letters_are_sent(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1), error="no data")
    aws.put(of_enricher(2), of="enricher", error="no data")
    aws.put(of_enricher(3), of="enricher", error="denied")
    ran = operate("redrive", "--yes", "--stage", "enricher", "--grep", "den[iy]ed")
    assert (ran.code, ran.counts["sent again"], ran.counts["not selected"]) == (0, 1, 2)
    assert len(aws.messages) == aws.visible == 2


def test_no_more_than_asked_for_are_sent(aws: FakeAws, operate: Run) -> None:
    for number in range(50):
        aws.put(record(number))
    ran = operate("redrive", "--yes", "--max", 7)
    assert (ran.code, len(aws.invocations), aws.visible) == (0, 7, 43)


def test_letters_that_are_not_chosen_do_not_count_as_sent(aws: FakeAws, operate: Run) -> None:
    for number in range(30):
        aws.put(record(number), error="wait")
    for number in range(30, 40):
        aws.put(record(number), error="send")
    ran = operate("redrive", "--yes", "--max", 7, "--grep", "send")
    assert (ran.code, len(aws.invocations), aws.visible) == (0, 7, 33)


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(aws: FakeAws, operate: Run) -> None:
    for number in range(12):
        aws.put(of_enricher(number), of="enricher")
    aws.put("{broken")
    ran = operate("redrive", "--dry-run")
    assert ran.code == 0
    assert "enricher\tenricher\t12" in ran.out
    assert "of no known stage\t1" in ran.out
    assert not aws.invocations
    assert aws.visible == 13


def test_what_can_not_be_attributed_or_parsed_is_left_and_named(aws: FakeAws, operate: Run) -> None:
    foreign = envelope(record(2), record(2))
    foreign["requestContext"]["functionArn"] = alias("billing")
    left = [aws.put("{broken"), aws.put(record(3), error=None, sent_by=ACCOUNT), aws.put(foreign, of="enricher")]
    aws.put(record(1))
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["of no known stage"]) == (1, 1, 3)
    assert sorted(aws.messages) == sorted(left)
    assert aws.visible == 3
    assert all(message_id in ran.err for message_id in left)


def test_a_stack_that_was_deployed_before_it_named_its_roles_is_told(aws: FakeAws, operate: Run) -> None:
    for stage in STAGES:
        del aws.outputs[f"{stage.capitalize()}RoleId"]
    aws.put(record(1))
    ran = operate("redrive", "--yes")
    assert (ran.code, aws.invocations, aws.visible) == (1, [], 1)
    assert ran.err.count("The stack does not name all its roles") == 1


def test_a_letter_stays_when_its_event_is_not_accepted(aws: FakeAws, operate: Run) -> None:
    stays = aws.put(record(1))
    aws.put(record(2))
    aws.judge = lambda payload: Failure(413, "RequestTooLargeException") if b"r-1" in payload else None
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["refused by Lambda"]) == (1, 1, 1)
    assert list(aws.messages) == [stays]
    assert aws.visible == 1
    assert "RequestTooLargeException" in ran.err


def test_throttling_is_waited_out(aws: FakeAws, operate: Run) -> None:
    for number in range(3):
        aws.put(record(number))
    aws.failures["Invoke"] = [Failure(429, "TooManyRequestsException")] * 2 + [Failure(500, "ServiceException")]
    assert operate("redrive", "--yes").code == 0
    assert not aws.messages


def test_a_letter_is_not_deleted_before_its_event_is_accepted(aws: FakeAws, operate: Run) -> None:
    for number in range(30):
        aws.put(record(number))
    there: list[bool] = []

    def look(invocation: Invocation) -> None:
        there.append(any(message.body == invocation.payload.decode() for message in aws.messages.values()))

    aws.on_invoke = look
    operate("redrive", "--yes")
    assert there == [True] * 30


def test_a_letter_that_was_sent_and_could_not_be_deleted_is_told(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    for operation in ("DeleteMessageBatch", "DeleteMessage"):
        aws.always[operation] = Failure(403, "AccessDenied", "not allowed")
    ran = operate("redrive", "--yes")
    assert ran.code == 3
    assert "AWS denies DeleteMessage" in ran.error
    assert "of which 1 was already sent again" in ran.error
    assert aws.visible == 1


def test_where_batches_are_denied_letters_are_deleted_and_given_back_one_by_one(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    aws.put("{broken")
    for operation in ("DeleteMessageBatch", "ChangeMessageVisibilityBatch"):
        aws.always[operation] = Failure(403, "AccessDenied")
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"]) == (1, 1)
    assert len(aws.messages) == aws.visible == 1


def test_a_letter_that_comes_back_at_once_is_named_and_not_sent_again(aws: FakeAws, operate: Run) -> None:
    for number in range(10):
        aws.put(record(number))

    def fail(invocation: Invocation) -> None:
        now = int(time.time() * 1000)
        aws.put(invocation.payload.decode(), request_id=invocation.request_id, sent=now)

    aws.on_invoke = fail
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["came back"]) == (1, 10, 10)
    assert len(aws.invocations) == aws.visible == 10


def test_a_letter_that_arrives_meanwhile_is_left_alone(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    aws.on_invoke = lambda _: aws.put(record(2), sent=int(time.time() * 1000) + 5000) and None
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["arrived since"]) == (0, 1, 1)
    assert aws.visible == 1


def test_a_letter_that_came_within_the_second_in_which_it_begins_is_sent(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1), sent=int(time.time() * 1000))
    assert operate("redrive", "--yes").counts["sent again"] == 1


def test_a_letter_that_sqs_delivers_twice_is_sent_once(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    (message,) = aws.messages.values()
    again = iter([True])

    def deliver_again(_: Invocation) -> None:
        if next(again, False):
            message.visible_at = 0

    aws.on_invoke = deliver_again
    assert operate("redrive", "--yes", "--parallel", 1).code == 0
    assert len(aws.invocations) == 1
    assert not aws.messages


def test_a_letter_whose_deletion_failed_is_deleted_when_it_is_seen_again(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.put(record(1))
    failures = iter(range(2))
    delete = aws._DeleteMessageBatch

    def fail_at_first(request: dict[str, Any]) -> dict[str, Any]:
        if next(failures, None) is None:
            return delete(request)
        for message in aws.messages.values():
            message.visible_at = 0
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in request["Entries"]]}

    monkeypatch.setattr(aws, "_DeleteMessageBatch", fail_at_first)
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], len(aws.invocations)) == (0, 1, 1)
    assert not aws.messages


def test_letters_in_another_readers_hands_are_told(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    held = aws.put(record(2))
    aws.messages[held].visible_at = time.monotonic() + 60
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"]) == (1, 1)
    assert "Somebody else had received about 1 more letter" in ran.err


def test_an_empty_queue_is_nothing_to_worry_about(aws: FakeAws, operate: Run) -> None:
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts) == (0, {"sent again": 0})


def test_records_without_a_timestamp_are_the_same_however_often_they_are_sent(aws: FakeAws, operate: Run) -> None:
    aws.put({"id": "a", "data": 1}, sent=1_700_000_000_000)
    aws.always["DeleteMessageBatch"] = Failure(400, "InvalidAddress")
    operate("redrive", "--yes")
    aws.always.clear()
    operate("redrive", "--yes")
    assert aws.payloads == [{"timestamp": 1_700_000_000_000, "id": "a", "data": 1}] * 2


def test_without_a_terminal_nothing_is_sent_unless_it_is_told_to(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    ran = operate("redrive")
    assert ran.code == 2
    assert "--yes" in ran.error
    assert not aws.calls


@pytest.mark.parametrize(("answer", "sent"), [("y", 1), ("", 0)])
def test_on_a_terminal_it_asks(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch, answer: str, sent: int
) -> None:
    aws.put(record(1))
    terminal = io.StringIO(f"{answer}\n")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    ran = operate("redrive")
    assert re.search(r"about 1\)\? \[y/N\]", ran.err)
    assert (ran.code, len(aws.invocations)) == (1 - sent, sent)


def test_a_target_that_the_stack_does_not_have_is_refused_and_nothing_is_sent(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    ran = operate("redrive", "--yes", "--to", "nowhere")
    assert ran.code == 2
    assert "There is no stage 'nowhere'" in ran.err
    assert aws.invocations == []
    assert len(aws.messages) == 1


def batch_of(of: str, *numbers: int) -> object:
    """The event that a stage is given for a batch of records, of which the validator refused r-9."""
    submitted = [record(number) for number in (*numbers, 9)]
    if of == "validator":
        return submitted
    first = envelope(submitted, [{"valid": True, **record(number)} for number in numbers])
    enriched = [{**record(number), "enriched": True} for number in numbers]
    return first if of == "enricher" else envelope(first, enriched, stage="enricher")


@pytest.mark.parametrize("of", STAGES)
def test_a_batch_that_failed_as_a_whole_is_sent_as_it_is(aws: FakeAws, operate: Run, of: str) -> None:
    aws.put(batch_of(of, 1, 2, 3), of=of)
    assert operate("redrive", "--yes").code == 0
    assert [(one.function, json.loads(one.payload)) for one in aws.invocations] == [(alias(of), batch_of(of, 1, 2, 3))]


@pytest.mark.parametrize("of", STAGES)
def test_split_its_records_are_sent_one_by_one(aws: FakeAws, operate: Run, of: str) -> None:
    event = batch_of(of, 1, 2, 3)
    aws.put(event, of=of)
    ran = operate("redrive", "--yes", "--split")
    assert (ran.code, ran.counts["sent again"]) == (0, 1)
    assert {one.function for one in aws.invocations} == {alias(of)}
    if isinstance(event, list):
        assert aws.payloads == event
    else:
        assert aws.payloads == [{**event, "responsePayload": one} for one in event["responsePayload"]]  # type: ignore[index]
    assert not aws.messages


def test_a_batch_is_deleted_only_when_all_its_records_were_accepted(aws: FakeAws, operate: Run) -> None:
    left = aws.put(batch_of("enricher", 1, 2, 3), of="enricher")
    aws.judge = lambda payload: (
        Failure(413, "TooLarge") if json.loads(payload)["responsePayload"]["id"] == "r-3" else None
    )
    ran = operate("redrive", "--yes", "--split")
    assert (ran.code, ran.counts["refused by Lambda"], list(aws.messages)) == (1, 1, [left])
    assert "record 3 of 3: TooLarge" in ran.err


def test_a_batch_whose_records_take_long_stays_in_flight_and_keeps_no_other_there(aws: FakeAws, operate: Run) -> None:
    for _ in range(2):
        aws.put([record(number) for number in range(10)])
    visible: list[int] = []
    aws.on_invoke = lambda _: visible.append(aws.visible)
    options = ("--rate", 10, "--visibility-timeout", 2, "--parallel", 1)
    assert operate("redrive", "--yes", "--split", *options).code == 0
    assert visible == [1] * 10 + [0] * 10
    assert aws.calls["ChangeMessageVisibility"] >= 2


def test_an_empty_batch_is_sent_and_not_forgotten(aws: FakeAws, operate: Run) -> None:
    aws.put([])
    operate("redrive", "--yes", "--split")
    assert (aws.payloads, aws.messages) == ([[]], {})


def test_it_says_what_is_left(aws: FakeAws, operate: Run) -> None:
    aws.put(record(1))
    assert "0 dead letters are left.\n" in operate("redrive", "--yes").err
    aws.put("{broken")
    aws.messages[aws.put(record(2))].visible_at = time.monotonic() + 60
    assert "2 dead letters are left, 1 of them received by somebody.\n" in operate("redrive", "--yes").err


def test_a_letter_that_comes_back_a_moment_later_is_named(
    aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.letters.redrive.MOMENT", 0.5)
    aws.put(record(1))

    def fail_later(invocation: Invocation) -> None:
        now = int(time.time() * 1000)
        later = aws.put(invocation.payload.decode(), request_id=invocation.request_id, sent=now)
        aws.messages[later].visible_at = time.monotonic() + 0.2

    aws.on_invoke = fail_later
    ran = operate("redrive", "--yes")
    assert (ran.code, ran.counts["sent again"], ran.counts["came back"]) == (1, 1, 1)
    assert "its cause is not mended" in ran.err
    assert (len(aws.invocations), aws.visible) == (1, 1)
