"""A fake endpoint of DynamoDB and SQS, so that the handlers' own client is what the tests run."""

import importlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from zlib import crc32

import pytest

from pipeline.generated.schema import compiled
from record import FIELDS

from ..envelope import envelope as made_envelope

Answer = tuple[int, str]  # HTTP status, name of the error
Fault = tuple[str, bool]  # a statement's error, and whether it was carried out nevertheless

REQUEST_ID = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/letters"


class FakeQueue:
    """SendMessageBatch within SQS' limits; `failures` are answered first, one to each request.

    `fault` says what goes wrong with a message, by its body: the code of an error, and whether the sender is to blame.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.failures: list[Answer] = []
        self.always: Answer | None = None
        self.fault: Callable[[str], tuple[str, bool] | None] = lambda body: None

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc] # as it was made

    def send_message_batch(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append(request)
        if failure := self.failures.pop(0) if self.failures else self.always:
            return failure[0], {"__type": failure[1], "message": "as the test asked"}
        entries = request["Entries"]
        assert request["QueueUrl"] == QUEUE_URL
        assert len({entry["Id"] for entry in entries}) == len(entries)
        assert 1 <= len(entries) <= 10
        if sum(map(_message_size, entries)) > 1_048_576:
            return 400, {"__type": "com.amazonaws.sqs#BatchRequestTooLong", "message": "more than 1048576 bytes"}
        return 200, {"Failed": [failed for entry in entries if (failed := self._failed(entry))]}

    def _failed(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        texts = [entry["MessageBody"], *(value["StringValue"] for value in entry["MessageAttributes"].values())]
        assert all(re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", text) for text in texts)
        if fault := self.fault(entry["MessageBody"]):
            return {"Id": entry["Id"], "Code": fault[0], "SenderFault": fault[1], "Message": "as the test asked"}
        self.messages.append(entry)
        return None

    def bodies(self) -> list[Any]:
        return [json.loads(message["MessageBody"]) for message in self.messages]

    def reasons(self) -> list[str]:
        return [message["MessageAttributes"]["ErrorMessage"]["StringValue"] for message in self.messages]


def _message_size(entry: dict[str, Any]) -> int:
    attributes = entry["MessageAttributes"].items()
    texts = [entry["MessageBody"], *(text for name, value in attributes for text in (name, *value.values()))]
    return sum(len(text.encode()) for text in texts)


class FakeDynamoDB:
    """PutItem and BatchExecuteStatement as the processor sends them; `failures` are answered first, one to each.

    `spoilt` is what goes wrong with an answer on its way, one to each request, after the request was carried out:
    "lost" (no answer), "cut" (half of it), "damaged" (another checksum), "page" (a proxy's 503), "last" (the
    connection is closed after it, without a word). `fault` says what goes wrong with a statement, by its record's id.
    """

    def __init__(self) -> None:
        self.queue = FakeQueue()
        self.connections = 0
        self.silent = threading.Event()  # set: requests get no answer until it is cleared
        self.closing = threading.Event()
        self.clear()

    def clear(self) -> None:
        self.items: dict[tuple[str, int], dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.failures: list[Answer] = []
        self.spoilt: list[str] = []
        self.always: Answer | None = None
        self.fault: Callable[[str], Fault | None] = lambda record_id: None
        self.returns_old_item = True
        self.compared = [field.name for field in FIELDS if field.name not in ("id", "timestamp")]
        self.silent.clear()
        self.queue.clear()

    def wait_for_connections(self, count: int) -> None:
        """Wait for a connection that the caller has opened already, but whose thread may not have started."""
        deadline = time.monotonic() + 10
        while self.connections < count:
            assert time.monotonic() < deadline, f"{self.connections} of {count} connections after 10 s"
            threading.Event().wait(0.01)

    def answer(self, target: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if target == "AmazonSQS.SendMessageBatch":
            return self.queue.send_message_batch(request)
        self.requests.append(request)
        if failure := self.failures.pop(0) if self.failures else self.always:
            return failure[0], {"__type": failure[1], "message": "as the test asked"}
        if target == "DynamoDB_20120810.BatchExecuteStatement":
            return self._execute(request["Statements"])
        assert target == "DynamoDB_20120810.PutItem"
        return self._put(request)

    def batches(self) -> list[list[str]]:
        many = [request["Statements"] for request in self.requests if "Statements" in request]
        return [[_inserted(statement)["id"]["S"] for statement in statements] for statements in many]

    def puts(self) -> list[str]:
        return [request["Item"]["id"]["S"] for request in self.requests if "Item" in request]

    def _put(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        item = request["Item"]
        assert request["ConditionExpression"] == self._condition(item)
        assert request["ExpressionAttributeNames"] == {f"#{name}": name for name in self.compared}
        old = self.items.get(_key(item))
        values = {name.removeprefix(":"): value for name, value in request["ExpressionAttributeValues"].items()}
        same = old and {name: old[name] for name in self.compared if name in old} == values
        if old and not (same and "enriched" not in old):
            returned = {"Item": old} if self._wants_old(request) else {}
            error = {"__type": "ConditionalCheckFailedException", "message": "The conditional request failed"}
            return 400, error | returned
        self.items[_key(item)] = item
        return 200, {}

    def _condition(self, item: dict[str, Any]) -> str:
        same = [f"#{name} = :{name}" if name in item else f"attribute_not_exists(#{name})" for name in self.compared]
        return f"attribute_not_exists(id) OR ({' AND '.join(same)} AND attribute_not_exists(enriched))"

    def _execute(self, statements: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        assert len(json.dumps(statements)) < 4_000_000
        keys = {_key(_inserted(statement)) for statement in statements}
        if not 1 <= len(statements) <= 25 or len(keys) < len(statements):
            return 400, {"__type": "ValidationException", "message": "too many statements, or two of one key"}
        return 200, {"Responses": [self._insert(_inserted(statement)) for statement in statements]}

    def _insert(self, item: dict[str, Any]) -> dict[str, Any]:
        code, carried_out = self.fault(item["id"]["S"]) or ("", True)
        if carried_out and _key(item) in self.items:
            code = code or "DuplicateItem"
        elif carried_out:
            self.items[_key(item)] = item
        return {"Error": {"Code": code, "Message": "as the test asked"}} if code else {"TableName": "records"}

    def _wants_old(self, request: dict[str, Any]) -> bool:
        return self.returns_old_item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


def _key(item: dict[str, Any]) -> tuple[str, int]:
    return item["id"]["S"], int(item["timestamp"]["N"])


def _inserted(statement: dict[str, Any]) -> dict[str, Any]:
    found = re.fullmatch(r"""INSERT INTO "records" VALUE \{((?:'\w+': \?(?:, )?)+)\}""", statement["Statement"])
    assert found, statement["Statement"]
    return dict(zip(re.findall(r"'(\w+)'", found[1]), statement["Parameters"], strict=True))


def _handler(dynamodb: FakeDynamoDB) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            dynamodb.connections += 1

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            dynamodb.headers.append(dict(self.headers))
            if dynamodb.silent.is_set():
                dynamodb.requests.append(request)
                dynamodb.closing.wait()
                self.close_connection = True
                return
            status, answer = dynamodb.answer(self.headers["X-Amz-Target"], request)
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
def environment(endpoint: tuple[FakeDynamoDB, str]) -> Iterator[None]:
    """What Lambda gives a stage, for the fake endpoint."""
    clients = [importlib.import_module(name).client for name in ("core.store", "core.dead_letters")]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME"):
            patch.delenv(name, raising=False)
        for name, value in {
            **{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
            **dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"), endpoint[1]),
            **{"AWS_CONFIG_FILE": "/dev/null", "NO_PROXY": "127.0.0.1"},
            **{"TABLE_NAME": "records", "DEAD_LETTER_QUEUE_URL": QUEUE_URL},
        }.items():
            patch.setenv(name, value)
        for client in clients:
            client.cache_clear()
        yield
        for client in clients:
            client().close()
            client.cache_clear()


@pytest.fixture(scope="module")
def processor(environment: None) -> ModuleType:
    """The processor's module, its client made for the fake endpoint."""
    return importlib.import_module("processor")


@pytest.fixture
def dynamodb(endpoint: tuple[FakeDynamoDB, str], environment: None) -> FakeDynamoDB:
    """The fake endpoint, empty and answering."""
    endpoint[0].clear()
    return endpoint[0]


@pytest.fixture
def queue(dynamodb: FakeDynamoDB) -> FakeQueue:
    """The fake dead-letter queue, empty and answering."""
    return dynamodb.queue


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def exactly(text: str) -> Any:
    """Read JSON with the numbers as they are written."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


class Context:
    """What Lambda tells a handler of its invocation."""

    aws_request_id = REQUEST_ID

    def __init__(self, *, seconds: float = 60) -> None:
        self.ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends - time.monotonic()) * 1000)


@pytest.fixture
def context(dynamodb: FakeDynamoDB) -> Context:
    """A context with a minute left, for a stage that has the fake endpoint."""
    return Context()


@pytest.fixture(autouse=True, scope="module")
def no_schema() -> Iterator[None]:
    """Leave the project's own schema out: these tests have data of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.data._check", lambda: None)
        yield


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Have a schema of records' data."""

    def give(schema: Any) -> None:
        module: dict[str, Any] = {}
        exec(compiled(json.dumps(schema)), module)
        monkeypatch.setattr("core.data._check", lambda: module["validate"])

    return give


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
    return partial(made_envelope, request_id=REQUEST_ID)
