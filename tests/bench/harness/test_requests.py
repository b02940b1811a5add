"""Requests off a socket: whole whatever pieces they come in, and none where the caller has closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from bench.harness.requests import read_request

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"


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
    head, read = read_request(ours)
    sender.join()
    assert head == (HEAD + fields).removesuffix(b"\r\n")
    assert read == body


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 3\r\n\r\nab"])
def test_a_caller_that_closed_sent_no_request(pair: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(sent)
    theirs.shutdown(socket.SHUT_WR)
    assert read_request(ours) == (b"", b"")
