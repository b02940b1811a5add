"""A DynamoDB endpoint that answers every PutItem at once, in a process of its own: what is measured is the caller."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import zlib

BODY = b"{}"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: 4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
    + f"x-amz-crc32: {zlib.crc32(BODY)}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY
)


def serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    """Answer whatever comes, until the process is ended."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection, context), daemon=True).start()


def _answer(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        stream = context.wrap_socket(connection, server_side=True) if context else connection
        with stream:
            while request := _request(stream):
                stream.sendall(ANSWER if request else b"")
    except OSError:
        connection.close()  # the caller was ended in the middle, as every measured function is


def _request(stream: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = stream.recv(65536)
        if not part:
            return b""
        received += part
    head, body = received.split(b"\r\n\r\n", 1)
    missing = _content_length(head) - len(body)
    while missing > 0:
        missing -= len(stream.recv(65536)) or missing
    return head


def _content_length(head: bytes) -> int:
    lines = (line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:])
    return next((int(line[1]) for line in lines if line[0] == b"content-length"), 0)


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


if __name__ == "__main__":
    _listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    sys.stdout.write(f"{_listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(_listener, _context(*sys.argv[1:]) if sys.argv[1:] else None)
