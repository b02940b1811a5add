"""The loopback runtime API: events out, answers in, whatever pieces the requests come in."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.harness.runtime_api import FunctionFailed, RuntimeApi, read_request

NEXT = "/2018-06-01/runtime/invocation/next"
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"


@contextmanager
def client(api: RuntimeApi, behave: Callable[[http.client.HTTPConnection], None]) -> Iterator[None]:
    """Run a runtime client beside the block."""

    def run() -> None:
        connection = http.client.HTTPConnection(api.address, timeout=10)
        try:
            behave(connection)
        except (OSError, http.client.HTTPException):
            pass  # the API was closed, which ends a runtime
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        api.__exit__(None, None, None)
        thread.join()


def ask(connection: http.client.HTTPConnection) -> bytes:
    connection.request("GET", NEXT)
    return connection.getresponse().read()


def answer(connection: http.client.HTTPConnection, kind: str, body: bytes) -> None:
    connection.request("POST", f"/2018-06-01/runtime/invocation/1/{kind}", body)
    connection.getresponse().read()


def test_an_event_goes_out_and_the_answer_is_timed() -> None:
    events: list[bytes] = []

    def behave(connection: http.client.HTTPConnection) -> None:
        for _ in range(2):
            events.append(ask(connection))
            answer(connection, "response", b"{}")
        ask(connection)

    api = RuntimeApi(timeout=10)
    with client(api, behave):
        api.ready()
        took = [api.invoke(b'{"a": 1}'), api.invoke(b'{"a": 2}')]
    assert events == [b'{"a": 1}', b'{"a": 2}']
    assert all(seconds > 0 for seconds in took)


def test_an_error_of_the_function_is_no_figure() -> None:
    def behave(connection: http.client.HTTPConnection) -> None:
        ask(connection)
        answer(connection, "error", b'{"errorMessage": "broken"}')

    api = RuntimeApi(timeout=10)
    with client(api, behave):
        api.ready()
        with pytest.raises(FunctionFailed, match="broken"):
            api.invoke(b"{}")


def test_an_error_in_init_is_said() -> None:
    def behave(connection: http.client.HTTPConnection) -> None:
        connection.request("POST", "/2018-06-01/runtime/init/error", b'{"errorType": "ImportError"}')

    api = RuntimeApi(timeout=10)
    with client(api, behave), pytest.raises(FunctionFailed, match="ImportError"):
        api.ready()


def test_a_runtime_that_never_asks_is_given_up() -> None:
    with RuntimeApi(timeout=0.01) as api, pytest.raises(FunctionFailed, match="did not ask for an event"):
        api.ready()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Length: 3\r\n", b"abc"),
        (b"content-length:3\r\n", b"abc"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        (b"", b""),
    ],
)
def test_a_request_is_read_byte_by_byte(pair: tuple[socket.socket, socket.socket], fields: bytes, body: bytes) -> None:
    ours, theirs = pair
    sent = HEAD + fields + b"\r\n" + body
    sender = threading.Thread(target=lambda: [theirs.send(sent[i : i + 1]) for i in range(len(sent))])
    sender.start()
    assert read_request(ours) == ((HEAD + fields).removesuffix(b"\r\n"), body)
    sender.join()


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 3\r\n\r\nab"])
def test_a_caller_that_closed_sent_no_request(pair: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(sent)
    theirs.shutdown(socket.SHUT_WR)
    assert read_request(ours) == (b"", b"")
