"""HTTP requests, read off a blocking socket with as little work as there is: what is measured is the caller."""

from __future__ import annotations

import socket

BLANK_LINE = b"\r\n\r\n"


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one request: its head, and its body as it was sent; both empty where the caller has closed."""
    received = b""
    while not _complete(received):
        part = connection.recv(65536)
        if not part:
            return b"", b""
        received += part
    head, _, body = received.partition(BLANK_LINE)
    return head, body


def _complete(received: bytes) -> bool:
    head, blank, body = received.partition(BLANK_LINE)
    fields = dict(line.partition(b":")[::2] for line in head.lower().split(b"\r\n"))
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        return body.endswith(b"0\r\n\r\n")
    return bool(blank) and len(body) >= int(fields.get(b"content-length", 0))
