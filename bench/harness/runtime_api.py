"""Lambda's runtime API on a loopback port: hands out events one by one, and takes how long each answer took."""

from __future__ import annotations

import socket
import time
from typing import Self

from bench.harness.requests import read_request

NEXT = b"/2018-06-01/runtime/invocation/next"
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'


class FunctionFailed(Exception):  # noqa: N818 - it is the function that failed
    """The measured function answered with an error, or not at all; a figure of it would mean nothing."""


class RuntimeApi:
    """One function's side of Lambda: `ready` waits for its init, `invoke` times a call.

    One blocking socket, in the caller's thread, so that nothing of the bench runs while the function does.
    """

    def __init__(self, timeout: float) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(timeout)  # seconds
        self._timeout = timeout
        self._connection: socket.socket | None = None
        self.answer = b""  # the function's last
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection:
            self._connection.close()
        self._listener.close()

    def ready(self) -> None:
        """Wait until the function asks for its first event, which ends its init."""
        line, body = self._request()
        if NEXT not in line:
            raise FunctionFailed(_text(body) or line.decode())

    def invoke(self, event: bytes) -> float:
        """Send an event; return the seconds until the answer is there. The function is ready again after it."""
        started = time.perf_counter()
        self._send(_event(event, self._timeout))
        line, body = self._request()
        took = time.perf_counter() - started
        self._send(ACCEPTED)
        if not line.split(b" ")[1].endswith(b"/response"):
            raise FunctionFailed(_text(body))
        self.answer = body
        self.ready()
        return took

    def _request(self) -> tuple[bytes, bytes]:
        """Read one request: its first line and its body. A client that closed its connection has opened another."""
        for _ in range(2):
            connection = self._connection or self._accept()
            try:
                head, body = read_request(connection)
                if head:
                    return head.split(b"\r\n", 1)[0], body
            except TimeoutError:
                raise FunctionFailed(f"no answer within {self._timeout} s") from None
            connection.close()
            self._connection = None
        raise FunctionFailed("the runtime closed its connection")

    def _accept(self) -> socket.socket:
        try:
            self._connection, _ = self._listener.accept()
        except TimeoutError:
            raise FunctionFailed(f"the runtime did not ask for an event within {self._timeout} s") from None
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.settimeout(self._timeout)
        return self._connection

    def _send(self, answer: bytes) -> None:
        assert self._connection  # noqa: S101 - every answer follows a request
        self._connection.sendall(answer)


def _event(body: bytes, timeout: float) -> bytes:
    deadline = int((time.time() + timeout) * 1000)
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Lambda-Runtime-Aws-Request-Id: {REQUEST_ID}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {ARN}\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _text(body: bytes) -> str:
    return body.decode(errors="replace")[:2000]
