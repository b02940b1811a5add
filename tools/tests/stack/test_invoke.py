"""How an event is sent, against a client that answers as told."""

import io
import threading
import time
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from pipeline.errors import AwsError
from pipeline.stack import invoke
from pipeline.stack.invoke import Invoker, Reply
from pipeline.stack.rate_limit import RateLimiter

BUSY = (429, "TooManyRequestsException")


class Answered(io.BytesIO):
    """The body of an answer."""


class Client:
    """Lambda, answering each call with the next of its answers, and ever after with the last."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["InvocationType"] == "Event"
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            status, code = answer
            error = {"Error": {"Code": code, "Message": "as told"}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(error, "Invoke")
        self.body = Answered(b"null")
        return {"StatusCode": answer, "Payload": self.body, "ResponseMetadata": {"RequestId": "id-1"}}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "FIRST_DELAY", 0.0001)


def invoker(client: Client, *, patience: float = 60) -> Invoker:
    return Invoker(client, RateLimiter(wait=lambda seconds: None), threading.Event(), patience)


def test_an_accepted_event_has_its_request_id_and_leaves_its_connection_to_the_next() -> None:
    client = Client(202)
    assert invoker(client).send("f", b"{}") == (Reply.ACCEPTED, "id-1", "")
    assert client.body.read() == b"", "botocore keeps a connection whose answer was not read"


def test_an_accepted_event_stays_accepted_if_its_empty_answer_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Answered) -> bytes:
        raise ResponseStreamingError(error="broken")

    monkeypatch.setattr(Answered, "read", broken)
    client = Client(202)
    assert invoker(client).send("f", b"{}").reply is Reply.ACCEPTED
    assert client.calls == 1


@pytest.mark.parametrize(
    "passing",
    [
        *(BUSY, (500, "ServiceException"), (502, "EC2UnexpectedException"), (503, "503"), 200),
        *(fault(endpoint_url="https://lambda") for fault in (EndpointConnectionError, ReadTimeoutError)),
    ],
)
def test_what_may_pass_is_tried_again(passing: object) -> None:
    client = Client(passing, passing, passing, 202)
    assert invoker(client).send("f", b"{}").reply is Reply.ACCEPTED
    assert client.calls == 4


@pytest.mark.parametrize("refusal", [(400, "InvalidRequestContentException"), (413, "RequestTooLargeException")])
def test_an_event_that_lambda_does_not_take_is_refused_at_once(refusal: tuple[int, str]) -> None:
    client = Client(refusal)
    answer = invoker(client).send("f", b"{}")
    assert (answer.reply, client.calls) == (Reply.REFUSED, 1)
    assert refusal[1] in answer.reason


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ((403, "AccessDeniedException"), "denies"),
        ((403, "ExpiredTokenException"), "expired"),
        ((400, "ExpiredToken"), "expired"),
        ((403, "UnrecognizedClientException"), "does not accept these credentials"),
        ((401, "Unauthorized"), "Unauthorized"),
        ((404, "ResourceNotFoundException"), "ResourceNotFoundException"),
        (NoCredentialsError(), "credentials"),
    ],
)
def test_what_every_other_event_would_meet_too_ends_the_command(error: object, message: str) -> None:
    client = Client(error)
    with pytest.raises(AwsError, match=message):
        invoker(client).send("f", b"{}")
    assert client.calls == 1


def test_an_event_is_given_up_after_some_attempts() -> None:
    client = Client(BUSY)
    answer = invoker(client).send("f", b"{}")
    assert (answer.reply, client.calls) == (Reply.FAILED, invoke.ATTEMPTS)
    assert "TooManyRequestsException" in answer.reason


def test_patience_ends_where_nothing_at_all_is_accepted() -> None:
    with pytest.raises(AwsError, match="accepted nothing for 0 s"):
        invoker(Client(BUSY), patience=0).send("f", b"{}")


def test_patience_begins_anew_with_each_acceptance() -> None:
    client = Client(BUSY, 202, BUSY, 202)
    sender = invoker(client, patience=0.2)
    assert sender.send("f", b"{}").reply is Reply.ACCEPTED
    time.sleep(0.3)
    assert sender.send("f", b"{}").reply is Reply.ACCEPTED


@pytest.mark.parametrize(("until", "ends"), [(-1, False), (60, True)], ids=["its time is over", "the command ends"])
def test_nothing_is_sent_too_late(until: float, ends: bool) -> None:
    client = Client(202)
    sender = invoker(client)
    if ends:
        sender.stop.set()
    assert sender.send("f", b"{}", until=time.monotonic() + until).reply is Reply.FAILED
    assert client.calls == 0


def test_the_waits_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "FIRST_DELAY", 0.1)
    waits: list[float] = []
    sender = invoker(Client(BUSY))
    monkeypatch.setattr(sender.stop, "wait", lambda seconds: bool(waits.append(seconds)))
    sender.send("f", b"{}")
    assert all(0.1 * 2**n / 2 <= wait <= 0.1 * 2**n for n, wait in enumerate(waits[:5]))
    assert all(wait <= invoke.LONGEST_DELAY for wait in waits)


def test_another_attempt_takes_its_permits_again_at_a_lower_rate() -> None:
    sender = invoker(Client(BUSY, BUSY, 202))
    sender.rate = mock.create_autospec(RateLimiter)
    assert sender.send("f", b"{}", permits=3).reply is Reply.ACCEPTED
    again = [mock.call.throttled(), mock.call.take_all(3)]
    assert sender.rate.mock_calls == [*again, *again, mock.call.accepted(3)]


def test_no_attempt_waits_beyond_the_events_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invoke, "FIRST_DELAY", 4)
    client = Client(BUSY)
    sender = invoker(client)
    monkeypatch.setattr(sender.stop, "wait", mock.Mock())
    assert sender.send("f", b"{}", until=time.monotonic() + 1.5).reply is Reply.FAILED
    assert client.calls == 1
    sender.stop.wait.assert_not_called()  # type: ignore[attr-defined]
