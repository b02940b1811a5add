"""Requests and answers inside the process."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.local.asynchronous.aws_api import (
    Answer,
    AwsApi,
    Key,
    Message,
    Receive,
    Scope,
    Send,
    chunks,
    read_body,
    replay,
    respond,
)
from pipeline.local.asynchronous.roles import Roles
from pipeline.local.asynchronous.targets import Target

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("headers", "body", "code", "problem"),
    [
        ({}, b'{"__type": "com.amazon.coral#Denied", "message": "no"}', "Denied", "no"),
        ({}, b'{"Type": "User", "Message": "no"}', "User", "no"),
        ({}, b'{"__type": "Denied"}', "Denied", "Denied"),
        ({"x-amzn-errortype": "Denied:http://a#b"}, b"{}", "Denied", "{}"),
        ({}, b"[1]", "", "[1]"),
        ({}, b"no \xff", "", "no \ufffd"),
    ],
)
def test_an_error_is_read_in_each_form(headers: dict[str, str], body: bytes, code: str, problem: str) -> None:
    answer = Answer(400, headers, body)
    assert (answer.error_code, answer.problem) == (code, problem)


def test_an_element_is_found_whatever_its_namespace_and_none_in_what_is_no_xml() -> None:
    element = Answer(200, {}, b'<a xmlns="urn:x"><b>1</b></a>').xml("b")
    assert element is not None
    assert element.text == "1"
    assert Answer(200, {}, b"{}").xml("b") is None
    assert Answer(200, {}, b"").json() is None


def receiving(*messages: Message) -> Any:
    given = list(messages)

    async def receive() -> Message:
        return given.pop(0)

    return receive


PARTS = ({"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"})


@pytest.mark.parametrize(("limit", "body"), [(3, b"abc"), (2, None)])
async def test_a_body_is_read_in_parts_up_to_its_limit(limit: int, body: bytes | None) -> None:
    assert await read_body(receiving(*PARTS), limit) == body


async def test_a_client_that_goes_away_is_an_error() -> None:
    with pytest.raises(ConnectionResetError):
        await read_body(receiving(PARTS[0], {"type": "http.disconnect"}), 10)


async def test_what_was_read_comes_again_and_then_what_follows() -> None:
    receive = replay(b"body", receiving({"type": "http.disconnect"}))
    assert [chunk async for chunk in chunks(receive)] == [b"body"]
    assert (await receive())["type"] == "http.disconnect"


@pytest.mark.parametrize(("seconds", "asked"), [(290, 2), (310, 1)])
async def test_a_session_is_renewed_five_minutes_before_its_end(seconds: int, asked: int) -> None:
    sent = []
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    content = f"<A><Credentials><AccessKeyId>k</AccessKeyId><SessionToken>t</SessionToken><Expiration>{end.isoformat()}"

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        sent.append(scope["path"])
        await respond(send, Answer(200, {}, f"{content}</Expiration></Credentials></A>".encode()))

    roles, target = Roles(AwsApi(app, "h:1", "key")), Target("000000000000", "us-east-1", "f")
    assert [await roles.key("arn", target) for _ in range(2)] == [Key("k", "t")] * 2
    assert len(sent) == asked
