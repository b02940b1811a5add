"""A fake DynamoDB endpoint, so that the processor's own client is what the tests run."""

from __future__ import annotations

import importlib
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, so that a red run is red again; building junk can be slow on a busy machine.
settings.register_profile(
    "functions", max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("functions")

Answer = tuple[int, str]  # HTTP status, name of the error


class FakeDynamoDB:
    """PutItem with the one condition that the processor sends; `failures` are answered first, one to each request.

    `spoilt` is what goes wrong with an answer on its way, one to each request, after the request was carried out:
    "lost" (no answer), "cut" (half of it), "damaged" (another checksum), "page" (a proxy's 503), "last" (the
    connection is closed after it, without a word).
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, int], dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.failures: list[Answer] = []
        self.spoilt: list[str] = []
        self.always: Answer | None = None
        self.returns_old_item = True
        self.silent = threading.Event()  # set: requests get no answer until it is cleared
        self.closing = threading.Event()

    def wait_for_connections(self, count: int) -> None:
        """Wait for a connection that the caller has opened already, but whose thread may not have started."""
        deadline = time.monotonic() + 10
        while self.connections < count:
            assert time.monotonic() < deadline, f"{self.connections} of {count} connections after 10 s"
            threading.Event().wait(0.01)

    def put_item(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        if failure := self.failures.pop(0) if self.failures else self.always:
            return failure[0], {"__type": failure[1], "message": "as the test asked"}
        expected = "attribute_not_exists(id) OR (#data = :data AND attribute_not_exists(enriched))"
        assert request["ConditionExpression"] == expected
        assert request["ExpressionAttributeNames"] == {"#data": "data"}
        return self._put(request)

    def _put(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        item = request["Item"]
        key = item["id"]["S"], int(item["timestamp"]["N"])
        old = self.items.get(key)
        if old and not (old["data"] == request["ExpressionAttributeValues"][":data"] and "enriched" not in old):
            returned = {"Item": old} if self._wants_old(request) else {}
            error = {"__type": "ConditionalCheckFailedException", "message": "The conditional request failed"}
            return 400, error | returned
        self.items[key] = item
        return 200, {}

    def _wants_old(self, request: dict[str, Any]) -> bool:
        return self.returns_old_item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


def _handler(dynamodb: FakeDynamoDB) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            dynamodb.connections += 1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["X-Amz-Target"] == "DynamoDB_20120810.PutItem"
            dynamodb.headers.append(dict(self.headers))
            if dynamodb.silent.is_set():
                dynamodb.requests.append(request)
                dynamodb.closing.wait()
                self.close_connection = True
                return
            status, answer = dynamodb.put_item(request)
            self._answer(status, json.dumps(answer).encode(), dynamodb.spoilt.pop(0) if dynamodb.spoilt else "")

        def _answer(self, status: int, body: bytes, spoilt: str) -> None:
            self.close_connection = spoilt in ("lost", "cut", "last")
            if spoilt == "lost":
                return
            self.send_response(503 if spoilt == "page" else status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            if spoilt == "page":
                body = b"<html>Service Unavailable</html>"
            else:
                self.send_header("x-amz-crc32", str(crc32(body) ^ (spoilt == "damaged")))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:-1] if spoilt == "cut" else body)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output to the tests."""

    return Handler


@contextmanager
def _serving(dynamodb: FakeDynamoDB, trust: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve the fake on a free port, over TLS if there is a context for it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(dynamodb))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # callers that hang up are what is tested
    if trust:
        server.socket = trust.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[int]]:
    """Serve a fake endpoint in a way of the test's own."""
    return _serving


@pytest.fixture(scope="module")
def endpoint() -> Iterator[tuple[FakeDynamoDB, str]]:
    dynamodb = FakeDynamoDB()
    with _serving(dynamodb) as port:
        yield dynamodb, f"http://127.0.0.1:{port}"
        dynamodb.closing.set()


@pytest.fixture(scope="module")
def processor(endpoint: tuple[FakeDynamoDB, str]) -> Iterator[ModuleType]:
    """The processor's module, its client made for the fake endpoint."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint[1])
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("TABLE_NAME", "records")
        module = importlib.import_module("processor")
        store = sys.modules["store"]
        store.client.cache_clear()
        yield module
        store.client().close()
        store.client.cache_clear()


@pytest.fixture
def dynamodb(endpoint: tuple[FakeDynamoDB, str], processor: ModuleType) -> FakeDynamoDB:
    """The fake endpoint, empty and answering."""
    fake = endpoint[0]
    fake.items.clear()
    fake.requests.clear()
    fake.headers.clear()
    fake.spoilt.clear()
    fake.failures.clear()
    fake.always = None
    fake.returns_old_item = True
    fake.silent.clear()
    return fake


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the client's waits between attempts pass at once; returns their lengths in seconds."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.fixture
def unused_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def envelope() -> Callable[..., dict[str, Any]]:
    """Make Lambda's document for an on-success destination from a stage's event and result."""
    return _envelope


def _envelope(event: object, result: object, *, stage: str = "validator") -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "requestContext": {
            "requestId": "6a3b2f0e-7f5c-4c1d-9a52-0d3e6b1f8c11",
            "functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{stage}-dev:live",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": result,
    }
