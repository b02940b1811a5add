"""Lambda's runtime API on a loopback port: hands out events one by one, and takes how long each answer took."""

import socket
import time
from typing import Self

NEXT = b"/2018-06-01/runtime/invocation/next"
ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
EVENT = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
    "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
    "Content-Length: {length}\r\n\r\n"
)


class FunctionFailed(Exception):  # noqa: N818 - it is the function that failed
    """The measured function answered with an error, or not at all; a figure of it would mean nothing."""


class RuntimeApi:
    """One function's side of Lambda: `ready` waits for its init, `invoke` times a call.

    It has one blocking socket, in the caller's thread, so that nothing of the bench runs while the function does.
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
            raise FunctionFailed(body.decode(errors="replace") or line.decode())

    def invoke(self, event: bytes) -> float:
        """Send an event; return the seconds until the answer is there. The function is ready again after it."""
        started = time.perf_counter()
        deadline = int((time.time() + self._timeout) * 1000)
        self._send(EVENT.format(deadline=deadline, length=len(event)).encode() + event)
        line, body = self._request()
        took = time.perf_counter() - started
        self._send(ACCEPTED)
        if not line.split(b" ")[1].endswith(b"/response"):
            raise FunctionFailed(body.decode(errors="replace"))
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


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one request: its head, and its body as it was sent; both are empty if the caller has closed."""
    received = b""
    while not _complete(received):
        part = connection.recv(65536)
        if not part:
            return b"", b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def _complete(received: bytes) -> bool:
    head, blank, body = received.partition(b"\r\n\r\n")
    fields = dict(line.partition(b":")[::2] for line in head.lower().split(b"\r\n"))
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        return body.endswith(b"0\r\n\r\n")
    return bool(blank) and len(body) >= int(fields.get(b"content-length", 0))
