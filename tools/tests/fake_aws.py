"""A fake AWS over HTTP: one stack, its dead-letter queue and its functions, and whatever failures a test asks for."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote

from tests.deployed import STACK_NAME

from .stack.samples import ACCOUNT, QUEUE_ARN, REGION, STAGES, alias, role_id, sender

STACK = STACK_NAME
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1"


class Failure(NamedTuple):
    """An answer that is no success; status 0 closes the connection without one."""

    status: int
    code: str = ""
    message: str = "as the test asked"


@dataclass
class Message:
    body: str
    attributes: dict[str, str]
    sent: int
    sender: str
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receipt: str = ""
    received: int = 0
    visible_at: float = 0.0


class Invocation(NamedTuple):
    function: str
    payload: bytes
    request_id: str


class Stored(NamedTuple):
    """An object of the bucket."""

    content: bytes
    modified: str
    """In UTC, as S3 writes it."""


class FakeAws:
    """What the endpoint holds; `failures` come first, one to each call of that operation, then `always`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.messages: dict[str, Message] = {}
        self.invocations: list[Invocation] = []
        self.calls: Counter[str] = Counter()
        self.failures: defaultdict[str, list[Failure | None]] = defaultdict(list)
        self.always: dict[str, Failure] = {}
        self.outputs: dict[str, str] = {}
        self.after = dict(pairwise(STAGES))
        self.on_invoke: Callable[[Invocation], None] = lambda invocation: None
        self.table: dict[tuple[str, int], str] = {}
        self.unprocessed = 0
        self.others: list[str] = []
        self.judge: Callable[[bytes], Failure | None] = lambda payload: None
        self.objects: dict[str, Stored] = {}
        self.on_put: Callable[[str, str], None] = lambda key, version: None
        self.page = 1000
        self.endpoint = ""

    def reset(self) -> None:
        endpoint, lock = self.endpoint, self.lock
        with lock:
            self.__init__()  # type: ignore[misc]
        self.endpoint = endpoint
        self.outputs = {
            "TableName": "records",
            "DlqUrl": f"{endpoint}/{ACCOUNT}/letters",
            "DlqArn": QUEUE_ARN,
            **{f"{stage.capitalize()}FunctionArn": alias(stage) for stage in STAGES},
            **{f"{stage.capitalize()}RoleId": role_id(stage) for stage in STAGES},
        }

    def put(
        self,
        body: object,
        *,
        of: str = "validator",
        error: str | None = "it failed",
        request_id: str = "",
        sent: int | None = None,
        sent_by: str | None = None,
    ) -> str:
        """Put a letter into the queue as Lambda does for a stage, or as somebody else does; without an error, plain."""
        attributes = {
            "RequestID": request_id or str(uuid.uuid4()),
            "ErrorCode": "200",
            "ErrorMessage": error or "",
        }
        message = Message(
            body if isinstance(body, str) else json.dumps(body),
            {} if error is None else attributes,
            int(time.time() * 1000) - 60_000 if sent is None else sent,
            sender(of) if sent_by is None else sent_by,
        )
        with self.lock:
            self.messages[message.message_id] = message
        return message.message_id

    @property
    def payloads(self) -> list[Any]:
        return [json.loads(invocation.payload) for invocation in self.invocations]

    @property
    def visible(self) -> int:
        return sum(message.visible_at <= time.monotonic() for message in self.messages.values())

    def failure(self, operation: str) -> Failure | None:
        with self.lock:
            self.calls[operation] += 1
            if self.failures[operation]:
                return self.failures[operation].pop(0)
            return self.always.get(operation)

    def sqs(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(request)
        return answer

    def _GetQueueAttributes(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - SQS's name
        visible = self.visible
        counts = {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(len(self.messages) - visible),
        }
        return {"Attributes": counts}

    def _ReceiveMessage(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        now = time.monotonic()
        found = [message for message in self.messages.values() if message.visible_at <= now]
        received = []
        for message in found[: request["MaxNumberOfMessages"]]:
            message.receipt, message.received = str(uuid.uuid4()), message.received + 1
            message.visible_at = now + request["VisibilityTimeout"]
            received.append(_received(message))
        return {"Messages": received} if received else {}

    def _BatchGetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - DynamoDB's name
        ((table, asked),) = request["RequestItems"].items()
        keys = [(key["id"]["S"], int(key["timestamp"]["N"])) for key in asked["Keys"]]
        assert asked["ConsistentRead"]
        assert len(keys) == len(set(keys)) <= 100
        rest, self.unprocessed = asked["Keys"][: self.unprocessed], self.unprocessed // 2
        items = [
            {"id": {"S": key[0]}, "timestamp": {"N": str(key[1])}, "data": {"S": self.table[key]}}
            for key in keys[len(rest) :]
            if key in self.table
        ]
        unprocessed = {table: {**asked, "Keys": rest}} if rest else {}
        return {"Responses": {table: items}, "UnprocessedKeys": unprocessed}

    def _Query(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        wanted = request["ExpressionAttributeValues"][":id"]["S"]
        found = sorted((key[1], data) for key, data in self.table.items() if key[0] == wanted)
        return {
            "Items": [{"id": {"S": wanted}, "timestamp": {"N": str(at)}, "data": {"S": data}} for at, data in found]
        }

    def _ChangeMessageVisibilityBatch(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        seconds = {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in request["Entries"]}

        def show(message: Message) -> None:
            message.visible_at = time.monotonic() + seconds[message.receipt]

        return self._batch(request, show)

    def _DeleteMessageBatch(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._batch(request, lambda message: self.messages.pop(message.message_id))

    def _ChangeMessageVisibility(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._ChangeMessageVisibilityBatch({"Entries": [{"Id": "0", **request}]})

    def _DeleteMessage(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._DeleteMessageBatch({"Entries": [{"Id": "0", **request}]})

    def _batch(self, request: dict[str, Any], act: Callable[[Message], object]) -> dict[str, Any]:
        by_receipt = {message.receipt: message for message in self.messages.values()}
        successful, failed = [], []
        for entry in request["Entries"]:
            message = by_receipt.get(entry["ReceiptHandle"])
            if message is None:
                failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True})
            else:
                act(message)
                successful.append({"Id": entry["Id"]})
        return {"Successful": successful, "Failed": failed}

    def invoke(self, function: str, payload: bytes) -> str | Failure:
        if failure := self.judge(payload):
            return failure
        invocation = Invocation(function, payload, str(uuid.uuid4()))
        with self.lock:
            self.invocations.append(invocation)
        self.on_invoke(invocation)
        return invocation.request_id

    def add_bucket(self) -> None:
        self.outputs |= {
            "FilesBucketName": "files",
            "FilesQueueUrl": f"{self.endpoint}/{ACCOUNT}/files",
            "FilesQueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:files",
            "ReaderFunctionArn": alias("reader"),
            "ReaderRoleId": role_id("reader"),
        }

    def put_object(self, key: str, *documents: object, modified: str = "2026-01-01T00:00:00Z") -> None:
        """Put lines of JSON into the bucket."""
        self.objects[key] = Stored("\n".join(map(json.dumps, documents)).encode(), modified)

    def listing(self, asked: dict[str, str]) -> str:
        after = asked.get("continuation-token", "")
        keys = [key for key in sorted(self.objects) if key.startswith(asked.get("prefix", "")) and key > after]
        more = len(keys) > self.page
        found = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{self.objects[key].modified}</LastModified></Contents>"
            for key in keys[: self.page]
        )
        token = f"<NextContinuationToken>{keys[self.page - 1]}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{found}</ListBucketResult>"

    def stacks(self, others: Iterable[str]) -> str:
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        stacks = "".join(
            f"<member><StackId>{STACK_ID}</StackId><StackName>{name}</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>{outputs}</Outputs></member>"
            for name in (STACK, *others)
        )
        return (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
            f"<Stacks>{stacks}</Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )


def _received(message: Message) -> dict[str, Any]:
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": {
            "SenderId": message.sender,
            "SentTimestamp": str(message.sent),
            "ApproximateReceiveCount": str(message.received),
        },
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }


def _handler(aws: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if target := self.headers.get("X-Amz-Target"):
                self._sqs(target.rpartition(".")[2], json.loads(body))
            elif "/functions/" in self.path:
                self._lambda(unquote(self.path.split("/")[3]), body)
            else:
                self._cloudformation({key: values[0] for key, values in parse_qs(body.decode()).items()})

        def do_GET(self) -> None:
            if "/event-invoke-config" in self.path:
                self._event_invoke_config(unquote(self.path.split("/")[3]))
            elif self.path.startswith("/files"):
                self._object(*self._s3())
            else:
                self._fail(Failure(404, "UnknownOperationException"))

        def do_PUT(self) -> None:
            key, _ = self._s3()
            self.rfile.read(int(self.headers["Content-Length"]))
            if failure := aws.failure("PutObject"):
                self._fail(failure, xml=True)
                return
            version = f"v{aws.calls['PutObject']}"
            aws.on_put(key, version)
            self._answer(200, "", "text/xml", {"ETag": f'"{key}"', "x-amz-version-id": version})

        def _s3(self) -> tuple[str, dict[str, str]]:
            path, _, query = self.path.partition("?")
            return unquote(path).removeprefix("/files").lstrip("/"), dict(parse_qsl(query))

        def _object(self, key: str, asked: dict[str, str]) -> None:
            if failure := aws.failure("GetObject" if key else "ListObjectsV2"):
                self._fail(failure, xml=True)
            elif not key:
                self._answer(200, aws.listing(asked), "text/xml")
            elif key in aws.objects:
                self._answer(200, aws.objects[key].content.decode(), "text/plain")
            else:
                self._fail(Failure(404, "NoSuchKey"), xml=True)

        def _event_invoke_config(self, function: str) -> None:
            if failure := aws.failure("GetFunctionEventInvokeConfig"):
                self._fail(failure)
            elif follower := aws.after.get(function.rpartition(":")[2].removesuffix("-dev")):
                config = {"DestinationConfig": {"OnSuccess": {"Destination": alias(follower)}}}
                self._answer(200, json.dumps(config), "application/json")
            else:
                self._fail(Failure(404, "ResourceNotFoundException"))

        def _sqs(self, operation: str, request: dict[str, Any]) -> None:
            if failure := aws.failure(operation):
                self._fail(failure)
            elif hasattr(aws, f"_{operation}"):
                self._answer(200, json.dumps(aws.sqs(operation, request)), "application/x-amz-json-1.0")
            else:
                self._fail(Failure(501, "UnknownOperationException"))

        def _lambda(self, function: str, payload: bytes) -> None:
            assert self.headers["X-Amz-Invocation-Type"] == "Event"
            answer = aws.failure("Invoke") or aws.invoke(function, payload)
            if isinstance(answer, Failure):
                self._fail(answer)
            else:
                self._answer(202, "", "application/json", {"x-amzn-RequestId": answer})

        def _cloudformation(self, request: dict[str, str]) -> None:
            if failure := aws.failure(request["Action"]):
                self._fail(failure, xml=True)
            elif request["Action"] != "DescribeStacks":
                self._fail(Failure(400, "InvalidAction"), xml=True)
            elif request.get("StackName", STACK) != STACK:
                self._fail(
                    Failure(400, "ValidationError", f"Stack with id {request['StackName']} does not exist"), xml=True
                )
            else:
                self._answer(200, aws.stacks([] if "StackName" in request else aws.others), "text/xml")

        def _fail(self, failure: Failure, *, xml: bool = False) -> None:
            if not failure.status:
                self.close_connection = True
                return
            if xml:
                error = f"<Error><Code>{failure.code}</Code><Message>{failure.message}</Message></Error>"
                text = error if self.path.startswith("/files") else f"<ErrorResponse>{error}</ErrorResponse>"
                self._answer(failure.status, text, "text/xml")
            else:
                text = json.dumps({"__type": failure.code, "message": failure.message})
                self._answer(failure.status, text, "application/json", {"x-amzn-ErrorType": failure.code})

        def _answer(self, status: int, text: str, kind: str, headers: dict[str, str] | None = None) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Type": kind, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep the tests' output to the tests."""

    return Handler


@contextmanager
def serving() -> Iterator[FakeAws]:
    """Serve a fake AWS on a free port."""
    aws = FakeAws()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(aws))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    aws.endpoint = f"http://127.0.0.1:{server.server_port}"
    aws.reset()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
