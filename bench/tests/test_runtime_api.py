"""The loopback runtime API, and functions as processes that are called over it."""

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.harness.lambdas import MeasuredFunction, started
from bench.harness.runtime_api import FunctionFailed, read_request

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        yield ours, theirs


@pytest.mark.parametrize(
    ("fields", "body"),
    [(b"content-length:3\r\n", b"abc"), (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"), (b"", b"")],
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


RUNTIME = """
import http.client, json, os, sys
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = json.loads(api.getresponse().read())
    print("got", event, flush=True)
    kind = "error" if event == "fail" else "response"
    api.request("POST", f"/2018-06-01/runtime/invocation/1/{kind}", json.dumps([event]))
    api.getresponse().read()
"""


def function(folder: Path, event: object) -> MeasuredFunction:
    (folder / "runtime.py").write_text(RUNTIME)
    command = (sys.executable, str(folder / "runtime.py"))
    return MeasuredFunction("echo", command, folder, event, timeout=10)


def test_a_call_is_timed_its_answer_kept_and_its_log_read_once(tmp_path: Path) -> None:
    echo = function(tmp_path, 1)
    with started(echo, tmp_path) as lambda_:
        assert 0 < lambda_.invoke(echo) < 10
        assert lambda_.api.answer == b"[1]"
        assert lambda_.logged() == b"got 1\n"
        lambda_.invoke(echo)
        lambda_.invoke(echo)
        assert lambda_.logged() == b"got 1\n" * 2


def test_a_function_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    echo = function(tmp_path, "fail")
    with pytest.raises(FunctionFailed, match=r"echo: .*\ngot fail"), started(echo, tmp_path) as lambda_:
        lambda_.invoke(echo)
