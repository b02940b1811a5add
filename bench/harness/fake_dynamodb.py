"""A DynamoDB that says yes to every write: `python -m bench.harness.fake_dynamodb SETTINGS` prints its port.

SETTINGS is JSON: `latency`, the seconds that an operation takes, by the operation's name; for TLS also `certificate`,
the file of the certificate and its key.
"""

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

from bench.harness.runtime_api import read_request

HEAD = (
    "HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
    "x-amzn-RequestId: 4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
    "x-amz-crc32: {checksum}\r\nContent-Length: {length}\r\n\r\n"
)
OPERATION = re.compile(rb"(?i)x-amz-target: DynamoDB_20120810\.(\w+)")


@cache
def answer(statements: int) -> bytes:
    """Write the answer: a response for each statement of a batch, an empty one for a single write."""
    content = json.dumps({"Responses": [{}] * statements} if statements else {}).encode()
    return HEAD.format(checksum=zlib.crc32(content), length=len(content)).encode() + content


def _converse(connection: socket.socket, context: ssl.SSLContext | None, latency: Mapping[str, float]) -> None:
    try:
        with context.wrap_socket(connection, server_side=True) if context else connection as stream:
            while (request := read_request(stream))[0]:
                named = OPERATION.search(request[0])
                due = time.perf_counter() + latency.get(named[1].decode() if named else "", 0)
                said = answer(len(json.loads(request[1]).get("Statements", ())))
                time.sleep(max(0, due - time.perf_counter()))
                stream.sendall(said)
    except OSError:
        connection.close()  # the caller was ended in the middle, as every measured function is


def main(*, latency: Mapping[str, float], certificate: str = "") -> None:
    """Print the port, then answer until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
    if context:
        context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - for the process that started it
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, context, latency), daemon=True).start()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
