"""A DynamoDB that says yes to every write, in a process of its own: what is measured is the caller.

`python -m bench.harness.fake_dynamodb SETTINGS` prints its port. SETTINGS is JSON: `latency`, the seconds that an
operation takes, by the operation's name; for TLS also `certificate`, the file of the certificate and its key.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Mapping
from functools import cache

from bench.harness.requests import read_request

HEAD = (
    "HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
    "x-amzn-RequestId: 4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
    "x-amz-crc32: {checksum}\r\nContent-Length: {length}\r\n\r\n"
)
OPERATION = re.compile(rb"(?i)x-amz-target: DynamoDB_20120810\.(\w+)")


@cache
def answer(statements: int) -> bytes:
    """Write the answer: to a batch a response for each statement, to one write nothing but yes."""
    content = json.dumps({"Responses": [{}] * statements} if statements else {}).encode()
    return HEAD.format(checksum=zlib.crc32(content), length=len(content)).encode() + content


def serve(listener: socket.socket, context: ssl.SSLContext | None, latency: Mapping[str, float]) -> None:
    """Answer whatever comes, until the process is ended."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, context, latency), daemon=True).start()


def _converse(connection: socket.socket, context: ssl.SSLContext | None, latency: Mapping[str, float]) -> None:
    try:
        with context.wrap_socket(connection, server_side=True) if context else connection as stream:
            while (request := read_request(stream))[0]:
                due = time.perf_counter() + latency.get(_operation(request[0]), 0)
                said = answer(len(json.loads(request[1]).get("Statements", ())))
                time.sleep(max(0, due - time.perf_counter()))
                stream.sendall(said)
    except OSError:
        connection.close()  # the caller was ended in the middle, as every measured function is


def _operation(head: bytes) -> str:
    named = OPERATION.search(head)
    return named[1].decode() if named else ""


def main(*, latency: Mapping[str, float], certificate: str = "") -> None:
    """Say the port, then serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
    if context:
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(listener, context, latency)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
