"""The queue against a scripted AWS: each sentence about Lambda's asynchronous invocation, without waiting for it."""

import asyncio
import json
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from pipeline.local.asynchronous import REQUEST_ID_HEADER, Clock, Faults, QueueOptions, Result, Target
from pipeline.local.asynchronous.event import Event
from pipeline.local.asynchronous.faults import Fault
from pipeline.local.asynchronous.queue import injected

from . import fake_aws
from .fake_aws import DLQ, SYSTEM_ERROR, THROTTLED, Door, FakeAws, arn, door, function_error, success

pytestmark = pytest.mark.anyio


def config(*, retries: int | None = None, age: int | None = None, **destinations: str) -> dict[str, Any]:
    document: dict[str, Any] = {"DestinationConfig": {kind: {"Destination": to} for kind, to in destinations.items()}}
    if retries is not None:
        document["MaximumRetryAttempts"] = retries
    if age is not None:
        document["MaximumEventAgeInSeconds"] = age
    return document


def deliver(aws: FakeAws, function: str = "f:live", payload: bytes = b'{"n": 1}', **options: Any) -> Door:
    """Invoke a function once and wait until all that follows has ended."""
    return deliver_all(aws, payload, function=function, **options)


def deliver_all(aws: FakeAws, *payloads: bytes, function: str = "f:live", **options: Any) -> Door:
    async def scenario() -> Door:
        opened = door(aws, **options)
        for payload in payloads:
            assert (await opened.invoke(function, payload)).status == 202
        await opened.drained()
        return opened

    return asyncio.run(scenario())


def numbers(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def record_in(message: dict[str, Any]) -> Any:
    """Read an invocation record, and merge its contexts into it, whose names differ."""
    record = json.loads(message["MessageBody"])
    return {**record, **record["requestContext"], **record.get("responseContext", {})}


def attributes_of(message: dict[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def handing_on(*answers: Any, **options: Any) -> FakeAws:
    """A function whose results go to another one."""
    return FakeAws(
        {"f": [*answers] or [success()], "g": [success()]}, {"f:live": config(OnSuccess=arn("g:live"))}, **options
    )


def count(opened: Door, metric: str) -> int:
    return sum(number for counted, number in opened.queue.counts.metrics.items() if counted.metric == metric)


async def test_202_is_answered_at_once_before_the_function_ends() -> None:
    aws = FakeAws({"f": [success()]})
    aws.gate = asyncio.Event()
    opened = door(aws)
    answer = await opened.invoke("f")
    assert (answer.status, answer.body, opened.queue.counts.open) == (202, b"", 1)
    assert answer.headers["x-amzn-requestid"]
    aws.gate.set()
    await opened.drained()


MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("function", "payload", "status", "code"),
    [
        ("none", b"{}", 404, "ResourceNotFoundException"),
        ("f!", b"{}", 400, "ValidationException"),
        ("f:live", b"not json", 400, "InvalidRequestContentException"),
        ("f:live", b"\xff", 400, "InvalidRequestContentException"),
        ("f:live", b"[NaN]", 400, "InvalidRequestContentException"),
        ("f:live", b"[" * 100_000, 400, "InvalidRequestContentException"),
        ("f:live", b'"' + b"x" * (MEBIBYTE - 1) + b'"', 413, "RequestEntityTooLargeException"),
    ],
    ids=["function", "name", "json", "utf-8", "nan", "depth", "size"],
)
async def test_what_lambda_refuses_is_not_taken(function: str, payload: bytes, status: int, code: str) -> None:
    opened = door(FakeAws({"f": [success()]}))
    answer = await opened.invoke(function, payload)
    assert (answer.status, answer.error_code) == (status, code)
    assert opened.queue.counts.accepted == 0


def test_an_event_of_a_mebibyte_is_taken_and_none_is_an_empty_object() -> None:
    aws = FakeAws({"f": [success()]})
    deliver(aws, payload=b'"' + b"x" * (MEBIBYTE - 2) + b'"')
    deliver(aws, payload=b"")
    assert [len(event) for event in aws.events["f:live"]] == [MEBIBYTE - 2, 0]
    assert aws.events["f:live"][1] == {}


async def test_a_synchronous_invocation_passes() -> None:
    opened = door(FakeAws({"f": [success("now")]}))
    kind = {"x-amz-invocation-type": "RequestResponse", REQUEST_ID_HEADER: "id"}
    assert (await opened.invoke("f", **kind)).json() == "now"
    assert opened.queue.counts.accepted == 0


async def test_an_error_of_the_queue_itself_is_told_and_ends_the_event() -> None:
    opened = door(FakeAws({"f": [(200, {}, b"\xff")]}, {"f:live": config(OnSuccess=DLQ)}))
    await opened.invoke("f:live")
    async with asyncio.timeout(5):
        while opened.queue.counts.open:
            await asyncio.sleep(0.001)
    counts = opened.queue.counts
    assert (counts.accepted, counts.ended, counts.errors[0][:18]) == (1, 1, "UnicodeDecodeError")


async def test_a_retry_waits_for_its_time() -> None:
    opened = door(FakeAws({"f": [function_error()]}))
    await opened.queue.restart(QueueOptions(Clock(0.06)))
    began = monotonic()
    await opened.invoke("f")
    await opened.drained()
    assert monotonic() - began > 0.18  # one minute, and two


@pytest.mark.parametrize(("configured", "retries"), [(None, 2), (0, 0), (1, 1), (2, 2)])
def test_a_function_error_is_retried_as_configured_one_and_two_minutes_apart(configured: Any, retries: int) -> None:
    aws = FakeAws({"f": [function_error()]}, {} if configured is None else {"f:live": config(retries=configured)})
    deliver(aws)
    assert aws.events["f:live"] == [{"n": 1}] * (1 + retries)
    assert fake_aws.waits == [60.0, 120.0][:retries]


def test_a_retry_that_succeeds_ends_the_event() -> None:
    aws = FakeAws({"f": [function_error(), success()]}, dead_letter_targets={"f:7": DLQ})
    opened = deliver(aws)
    assert len(aws.events["f:live"]) == 2
    assert aws.messages == []
    assert count(opened, "AsyncEventsDropped") == 0


BACKOFF = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.parametrize(
    ("failures", "waits"),
    [
        ([THROTTLED] * 11, BACKOFF),
        ([SYSTEM_ERROR] * 11, BACKOFF),
        ([THROTTLED, SYSTEM_ERROR, function_error(), THROTTLED, function_error()], [1, 2, 60, 4, 120]),
    ],
    ids=["throttled", "system error", "among function errors"],
)
def test_throttles_and_system_errors_back_off_and_use_up_no_retries(failures: list[Any], waits: list[int]) -> None:
    deliver(FakeAws({"f": [*failures, success()]}))
    assert fake_aws.waits == waits


def test_an_event_is_tried_within_its_maximum_age_only() -> None:
    aws = FakeAws({"f": [THROTTLED]}, {"f:live": config(age=60, OnFailure=DLQ)})
    deliver(aws)
    assert fake_aws.waits == [1, 2, 4, 8, 16]  # the next one would be 32, beyond 60 altogether
    record = record_in(aws.messages[0])
    assert (record["condition"], record["approximateInvokeCount"]) == ("EventAgeExceeded", 0)
    assert record["responseContext"] == {"statusCode": 429}
    assert "responsePayload" not in record


def test_the_maximum_age_ends_the_retries_of_function_errors_too() -> None:
    aws = FakeAws({"f": [function_error()]}, {"f:live": config(retries=2, age=100, OnFailure=DLQ)})
    deliver(aws)
    assert fake_aws.waits == [60]
    assert record_in(aws.messages[0])["condition"] == "EventAgeExceeded"


def test_without_a_configuration_an_event_lives_for_six_hours() -> None:
    aws = FakeAws({"f": [THROTTLED]}, dead_letter_targets={"f:7": DLQ})
    deliver(aws)
    assert 21600 - 300 < sum(fake_aws.waits) <= 21600
    assert len(aws.messages) == 1


async def test_every_attempt_has_the_same_request_id() -> None:
    aws = FakeAws({"f": [function_error()]}, {"f:live": config(OnFailure=DLQ)}, {"f:7": DLQ})
    opened = door(aws)
    request_id = (await opened.invoke("f:live")).headers["x-amzn-requestid"]
    await opened.drained()
    letter, record = aws.messages
    assert attributes_of(letter)["RequestID"] == record_in(record)["requestId"] == request_id
    assert aws.request_id_headers == [request_id] * 3


def test_duplicates_happen_without_any_error() -> None:
    aws = FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=DLQ)})
    opened = deliver(aws, faults=Faults(duplicate=True))
    assert aws.events["f:live"] == [{"n": 1}] * 2
    ids = {record_in(message)["requestId"] for message in aws.messages}
    assert (len(aws.messages), len(ids)) == (2, 1)
    assert count(opened, "AsyncEventsReceived") == 1
    assert count(opened, "FUNCTION_ERROR") == 0


def test_the_invocation_record_of_a_success_is_lambdas() -> None:
    aws = FakeAws({"f": [success({"ok": 1})]}, {"f:live": config(OnSuccess=DLQ)})
    deliver(aws)
    record = json.loads(aws.messages[0]["MessageBody"])
    timestamp, request_id = record.pop("timestamp"), record["requestContext"].pop("requestId")
    assert record == {
        "version": "1.0",
        "requestContext": {"functionArn": arn("f:live"), "condition": "Success", "approximateInvokeCount": 1},
        "requestPayload": {"n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "7"},
        "responsePayload": {"ok": 1},
    }
    assert timestamp.endswith("Z")
    assert len(timestamp) == len("2026-01-01T00:00:00.000Z")
    assert request_id


def test_the_invocation_record_of_a_failure_is_lambdas() -> None:
    aws = FakeAws({"f": [function_error("no")]}, {"f:live": config(OnFailure=DLQ)})
    deliver(aws)
    record = record_in(aws.messages[0])
    assert (record["condition"], record["approximateInvokeCount"]) == ("RetriesExhausted", 3)
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"}
    assert record["responsePayload"] == {"errorMessage": "no", "errorType": "Error"}


def test_a_function_that_answers_nothing_has_null_in_its_record() -> None:
    aws = FakeAws({"f": [(200, {}, b"")]}, {"f:live": config(OnSuccess=DLQ)})
    deliver(aws)
    assert record_in(aws.messages[0])["responsePayload"] is None


def test_an_age_counts_a_wait_as_long_as_lambdas() -> None:
    event = Event(Target.of_arn(arn("f")), b"", "id", 100.0, "")
    event.note_wait(60, 0.1)
    assert event.age(100.2) == pytest.approx(60.1)


def test_an_unqualified_function_is_latest_in_its_record() -> None:
    aws = FakeAws({"f": [success()]}, {"f:$LATEST": config(OnSuccess=DLQ)})
    deliver(aws, "f")
    assert record_in(aws.messages[0])["functionArn"] == arn("f:$LATEST")


def test_payloads_reach_the_destination_byte_for_byte() -> None:
    payload = b'{"big": 123456789012345678901234567890, "float": 1.0E5, "text": "\\u00e9\\ud800"}'
    aws = FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=DLQ)})
    deliver(aws, payload=payload)
    assert payload.decode() in aws.messages[0]["MessageBody"]


def test_a_destination_that_is_a_function_is_invoked_asynchronously_with_the_record() -> None:
    aws = FakeAws({"f": [success("made")], "g": [function_error()]}, {"f:live": config(OnSuccess=arn("g:live"))})
    opened = deliver(aws)
    assert len(aws.events["g:live"]) == 3, "it has retries of its own"
    assert aws.events["g:live"][0]["responsePayload"] == "made"
    received = {counted.target.name: number for counted, number in opened.queue.counts.metrics.items()
                if counted.metric == "AsyncEventsReceived"}  # fmt: skip
    assert received == {"f": 1, "g": 1}


def test_an_unqualified_call_does_not_get_the_destination_of_the_alias() -> None:
    aws = FakeAws({"f": [success()], "g": [success()]}, {"f:live": config(OnSuccess=arn("g:live"))})
    deliver(aws, "f")
    assert aws.events["g:live"] == []


def test_the_dead_letter_is_the_event_itself_with_three_attributes_and_no_function_name() -> None:
    aws = FakeAws({"f": [function_error("why")]}, dead_letter_targets={"f:7": DLQ})
    deliver(aws, payload=b'{"n":  1}')
    message = aws.messages[0]
    assert message["MessageBody"] == '{"n":  1}'
    request_id = message["MessageAttributes"].pop("RequestID")
    assert request_id["DataType"] == "String"
    assert message["MessageAttributes"] == {
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "why"},
    }


def test_a_throttled_event_dies_with_the_throttles_status() -> None:
    aws = FakeAws({"f": [THROTTLED]}, {"f:live": config(age=60)}, {"f:7": DLQ})
    deliver(aws)
    attributes = attributes_of(aws.messages[0])
    assert (attributes["ErrorCode"], attributes["ErrorMessage"]) == ("429", "Rate Exceeded.")


@pytest.mark.parametrize(("message", "kept"), [("x" * 5000, 1024), ("é" * 5000, 512), ("€" * 5000, 341)])
def test_the_error_message_is_its_first_kilobyte(message: str, kept: int) -> None:
    aws = FakeAws({"f": [function_error(message)]}, dead_letter_targets={"f:7": DLQ})
    deliver(aws)
    assert attributes_of(aws.messages[0])["ErrorMessage"] == message[:kept]


def test_with_an_on_failure_destination_both_it_and_the_dead_letter_are_sent() -> None:
    aws = FakeAws({"f": [function_error()]}, {"f:live": config(OnFailure=DLQ)}, {"f:7": DLQ})
    deliver(aws)
    assert ["requestContext" in json.loads(message["MessageBody"]) for message in aws.messages] == [False, True]


def test_the_dead_letter_target_is_that_of_the_version_that_ran() -> None:
    failed = (200, {"x-amz-function-error": "Unhandled", "x-amz-executed-version": "6"}, b"{}")
    for version, letters in (("6", 1), ("7", 0)):  # the alias leads to 7 now
        aws = FakeAws({"f": [failed]}, dead_letter_targets={f"f:{version}": DLQ})
        deliver(aws)
        assert len(aws.messages) == letters


def test_without_permission_the_dead_letter_is_lost_and_counted() -> None:
    aws = FakeAws({"f": [function_error()]}, dead_letter_targets={"f:7": DLQ}, denied={"dlq"})
    opened = deliver(aws)
    assert count(opened, "DeadLetterErrors") == 1
    assert "sqs:SendMessage" in opened.queue.counts.losses[0].reason


@pytest.mark.parametrize(
    ("aws", "payload"),
    [
        (handing_on(denied={"g:live"}), b"{}"),
        (FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=arn("g:live"))}), b"{}"),
        (handing_on(success("y" * 600_000)), json.dumps("x" * 600_000).encode()),
    ],
    ids=["no permission", "no function", "more than a megabyte"],
)
def test_a_record_that_cannot_be_delivered_is_lost_and_counted(aws: FakeAws, payload: bytes) -> None:
    opened = deliver(aws, payload=payload)
    assert aws.events["g:live"] == []
    assert count(opened, "DestinationDeliveryFailures") == 1


@pytest.mark.parametrize("target", ["arn:aws:sns:us-east-1:000000000000:topic", "arn:aws:s3:::bucket"])
def test_a_destination_of_another_kind_is_a_delivery_failure(target: str) -> None:
    opened = deliver(FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=target)}))
    assert count(opened, "DestinationDeliveryFailures") == 1
    assert target in opened.queue.counts.losses[0].reason


def test_a_function_without_any_concurrency_is_not_retried() -> None:
    aws = FakeAws({"f": [THROTTLED]}, {"f:live": config(OnFailure=DLQ)}, {"f:7": DLQ}, switched_off={"f"})
    deliver(aws)
    assert fake_aws.waits == []
    letter, message = aws.messages
    record, attributes = record_in(message), attributes_of(letter)
    assert (record["condition"], record["approximateInvokeCount"]) == ("ZeroReservedConcurrency", 0)
    assert record.keys().isdisjoint({"responseContext", "responsePayload"})
    assert attributes.keys() == {"RequestID", "ErrorMessage"}
    assert "zero reserved concurrent executions" in attributes["ErrorMessage"]


async def test_a_function_that_is_gone_still_leaves_a_record_and_a_dead_letter() -> None:
    aws = FakeAws({"f": [success()]}, {"f:live": config(OnFailure=DLQ)}, {"f:7": DLQ})
    opened = door(aws)
    await opened.invoke("f:live", b"1")
    del aws.answers["f"]
    opened.queue.functions.forget()
    await opened.drained()
    letter, message = aws.messages
    record, attributes = record_in(message), attributes_of(letter)
    assert (record["condition"], record["approximateInvokeCount"]) == ("RetriesExhausted", 1)
    assert record["responseContext"] == {"statusCode": 404}
    assert attributes.pop("RequestID")
    assert attributes == {"ErrorCode": "404", "ErrorMessage": f"Function not found: {arn('f:live')}"}
    assert letter["MessageBody"] == "1"


@pytest.mark.parametrize(("last", "count"), [(success(), 1), (function_error(), 3)], ids=["success", "failure"])
def test_the_count_is_of_the_attempts_that_ran_and_one_for_a_success(last: Any, count: int) -> None:
    answers = [THROTTLED, function_error(), SYSTEM_ERROR, function_error(), last]
    aws = FakeAws({"f": answers}, {"f:live": config(OnSuccess=DLQ, OnFailure=DLQ)})
    deliver(aws)
    assert record_in(aws.messages[0])["approximateInvokeCount"] == count


async def test_a_trace_is_answered_and_goes_with_the_event_to_its_dead_letter() -> None:
    aws = FakeAws({"f": [function_error()]}, dead_letter_targets={"f:7": DLQ})
    opened = door(aws)
    own = await opened.invoke("f:live")
    await opened.drained()
    given = await opened.invoke("f:live", **{"x-amzn-trace-id": "Root=1-2-3"})
    await opened.drained()
    await opened.queue.accept(Target.of_arn(arn("f:live")), b"1", request_id="id")
    await opened.drained()
    traces = [message["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"] for message in aws.messages]
    assert traces[:2] == [own.headers["x-amzn-trace-id"], "Root=1-2-3"]
    assert all(trace.startswith("Root=1-") for trace in traces)
    assert given.headers["x-amzn-trace-id"] == "Root=1-2-3"


def test_a_chain_of_functions_that_goes_round_in_circles_ends() -> None:
    aws = FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=arn("f:live"))}, {"f:7": DLQ})
    deliver(aws)
    assert len(aws.events["f:live"]) == 17
    attributes = attributes_of(aws.messages[0])
    assert (attributes["ErrorCode"], attributes["ErrorMessage"]) == ("400", "recursive loop")


def test_parallel_invocations_are_bounded() -> None:
    aws = FakeAws({"f": [success()]})
    deliver_all(aws, *numbers(200), function="f", concurrency=3)
    assert len(aws.events["f"]) == 200
    assert 1 <= aws.most_running <= 3


def faulty(aws: FakeAws, faults: Faults) -> Door:
    return deliver_all(aws, *numbers(40), faults=faults)


@pytest.mark.parametrize("kind", [Result.SYSTEM_ERROR, Result.THROTTLED])
def test_injected_system_errors_and_throttles_lose_nothing(kind: Result) -> None:
    opened = faulty(FakeAws({"f": [success()]}), Faults(fail_rate=0.3, kinds=(kind,)))
    assert count(opened, kind.name) > 0
    assert count(opened, "SUCCESS") == 40


def test_injected_function_errors_come_instead_of_the_call_or_after_it() -> None:
    aws = FakeAws({"f": [success()]})
    opened = faulty(aws, Faults(fail_rate=0.5, kinds=(Result.FUNCTION_ERROR,)))
    calls, failed, succeeded = len(aws.events["f:live"]), count(opened, "FUNCTION_ERROR"), count(opened, "SUCCESS")
    assert succeeded < calls < succeeded + failed


def test_a_failure_of_the_functions_own_is_not_replaced_by_an_injected_one() -> None:
    aws = FakeAws({"f": [function_error("own")]}, {"f:live": config(retries=0)}, {"f:7": DLQ})
    faulty(aws, Faults(fail_rate=1, kinds=(Result.FUNCTION_ERROR,)))
    reasons = [attributes_of(message)["ErrorMessage"] for message in aws.messages]
    assert set(reasons) == {"own", "Injected function error"}
    assert reasons.count("own") == len(aws.events["f:live"])


def test_the_same_seed_injects_the_same_faults_and_another_one_others() -> None:
    def failures(seed: int) -> list[float]:
        faulty(FakeAws({"f": [success()]}), Faults(seed, fail_rate=0.2))
        return sorted(fake_aws.waits)

    assert failures(1) == failures(1)
    assert failures(1) != failures(2)


def test_lost_events_end_without_a_call_a_letter_or_a_count_and_a_seed_repeats_them() -> None:
    def kept(seed: int, rate: float, *, kinds: int = 60) -> list[Any]:
        aws = FakeAws({"f": [success()]}, {"f:live": config(OnSuccess=DLQ)}, {"f:7": DLQ})
        opened = deliver_all(aws, *numbers(kinds) * (60 // kinds), faults=Faults(seed, lose_rate=rate))
        assert count(opened, "AsyncEventsDropped") == count(opened, "DeadLetterErrors") == 0
        assert opened.queue.counts.accepted == opened.queue.counts.ended == 60
        assert len(aws.messages) == len(aws.events["f:live"])
        return sorted(aws.events["f:live"])

    assert 10 < len(kept(1, 0.5)) < 50
    assert 10 < len(kept(1, 0.5, kinds=1)) < 50, "equal events have each their own fate"
    assert kept(1, 0.5) == kept(1, 0.5) != kept(2, 0.5)
    assert (len(kept(1, 0)), len(kept(1, 1))) == (60, 0)


@pytest.mark.parametrize(
    "meets",
    [
        lambda faults, name: faults.loses(name),
        lambda faults, name: faults.throttles(name, 1),
        lambda faults, name: faults.strike(name, 1) is not None,
    ],
    ids=["lose", "throttle", "fail"],
)
def test_a_rate_is_the_share_that_meets_a_fault(meets: Callable[[Faults, str], bool]) -> None:
    assert not any(meets(Faults(), str(number)) for number in range(10))
    for rate in (0, 0.3, 1):
        faults = Faults(fail_rate=rate, throttle_rate=rate, lose_rate=rate)
        assert sum(meets(faults, str(number)) for number in range(1000)) == pytest.approx(1000 * rate, abs=50 * rate)


async def test_stop_after_ends_the_deliveries_for_good() -> None:
    aws = FakeAws({"f": [success()]})
    opened = door(aws, Faults(stop_after=3))
    for number in range(10):
        await opened.invoke("f", str(number).encode())
    async with asyncio.timeout(5):
        while not opened.queue.stopped:
            await asyncio.sleep(0)
    assert opened.queue.counts.calls == 3
    assert opened.queue.counts.open > 0


async def test_a_restart_forgets_events_and_counts() -> None:
    aws = FakeAws({"f": [success()]})
    aws.gate = asyncio.Event()
    opened = door(aws)
    await opened.invoke("f")
    await opened.queue.restart(QueueOptions())
    assert (opened.queue.counts.open, opened.queue.counts.metrics) == (0, {})


async def test_a_right_that_is_taken_away_is_missed_at_once() -> None:
    aws = handing_on()
    opened = door(aws)
    await opened.invoke("f:live")
    await opened.drained()
    aws.denied.add("g:live")
    await opened.request("POST", "/", b"Action=PutRolePolicy", service="iam")
    await opened.invoke("f:live")
    await opened.drained()
    assert len(aws.events["g:live"]) == 1
    assert count(opened, "DestinationDeliveryFailures") == 1


async def test_a_burst_asks_once_whether_its_destination_may_be_invoked() -> None:
    aws = handing_on()
    opened = door(aws)
    for _ in range(20):
        await opened.invoke("f:live")
    await opened.drained()
    assert len(aws.events["g:live"]) == 20
    assert aws.dry_runs["g:live"] <= opened.queue.options.concurrency


@pytest.mark.parametrize(
    ("result", "after", "status"),
    [(Result.FUNCTION_ERROR, True, 200), (Result.THROTTLED, False, 429), (Result.SYSTEM_ERROR, False, 500)],
)
def test_an_injected_failure_has_the_status_that_lambda_gives_it(result: Result, after: bool, status: int) -> None:
    attempt = injected(Fault(result, after), "7")
    assert (attempt.result, attempt.status, attempt.version) == (result, status, "7")


@pytest.mark.parametrize(("over", "lost"), [(0, 0), (1, 1)])
def test_a_letter_fits_up_to_a_mebibyte_with_its_attributes(over: int, lost: int) -> None:
    def failing() -> FakeAws:
        return FakeAws({"f": [function_error()]}, {"f:live": config(retries=0)}, {"f:7": DLQ, "f:live": DLQ})

    small = failing()
    deliver(small, payload=b'""')
    attributes = sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"])
        for name, value in small.messages[0]["MessageAttributes"].items()
    )
    payload = b'"' + b"x" * (1024 * 1024 - attributes - 2 + over) + b'"'
    assert count(deliver(failing(), payload=payload), "DeadLetterErrors") == lost
