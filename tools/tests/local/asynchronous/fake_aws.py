"""A scripted AWS for the queue's tests: an ASGI app that answers the few requests which the queue makes."""

import asyncio
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from pipeline.local.asynchronous import REQUEST_ID_HEADER, AsynchronousInvocation, Clock, Faults, Queue, QueueOptions
from pipeline.local.asynchronous.aws_api import (
    Answer,
    AwsApi,
    Caller,
    Key,
    Receive,
    Scope,
    Send,
    call,
    http_scope,
    sent_by,
)

ROLE = "arn:aws:iam::000000000000:role/role"
DLQ = "arn:aws:sqs:us-east-1:000000000000:dlq"
KEY = "OWNERSKEY"
Answered = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
INVOKE = re.compile(r"/2015-03-31/functions/(?:arn:aws:lambda:[^:]+:\d+:function:)?([\w-]+)(?::([\w$-]+))?/invocations")
CONFIGURATION = re.compile(r"/2015-03-31/functions/([\w-]+)/configuration")
INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/([\w-]+)/event-invoke-config")
CONCURRENCY = re.compile(r"/2019-09-30/functions/([\w-]+)/concurrency")


def arn(function: str) -> str:
    return f"arn:aws:lambda:us-east-1:000000000000:function:{function}"


class TestClock(Clock):
    """A clock on which no wait takes any time, and which notes how long each would be for Lambda."""

    __test__ = False

    def real(self, seconds: float) -> float:
        waits.append(seconds)
        return 0.0


waits: list[float] = []


def function_error(message: str = "boom") -> Answered:
    body = json.dumps({"errorMessage": message, "errorType": "Error"}).encode()
    return 200, {"x-amz-function-error": "Unhandled", "x-amz-executed-version": "7"}, body


def success(payload: object = "done") -> Answered:
    return 200, {"x-amz-executed-version": "7"}, json.dumps(payload).encode()


THROTTLED = (429, {}, b'{"__type":"TooManyRequestsException","message":"Rate Exceeded."}')
SYSTEM_ERROR = (500, {}, b'{"__type":"ServiceException","message":"Internal error"}')


@dataclass
class FakeAws:
    """Functions by script: each call takes the next answer, the last of which stays."""

    answers: dict[str, list[Answered]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """EventInvokeConfigs by qualified function name."""
    dead_letter_targets: dict[str, str] = field(default_factory=dict)
    """By `function:version`."""
    denied: set[str] = field(default_factory=set)
    """Functions and queues that the role may not use."""
    switched_off: set[str] = field(default_factory=set)
    events: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """What each qualified function was invoked with."""
    request_id_headers: list[str] = field(default_factory=list)
    """The request id that each invocation was to have."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    dry_runs: Counter[str] = field(default_factory=Counter)
    """How often it was asked whether each qualified function may be invoked."""
    gate: asyncio.Event | None = None
    """Holds invocations back until it is set."""
    running: Counter[str] = field(default_factory=Counter)
    most_running: int = 0
    request_ids: int = 0

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, extra, content = await self._answer(scope["method"], scope["path"], scope, headers, body)
        self.request_ids += 1
        extra = {"x-amzn-requestid": f"request-{self.request_ids}", **extra}
        raw = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, method: str, path: str, scope: Scope, headers: dict[str, str], body: bytes) -> Answered:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if match := INVOKE.fullmatch(path):
            qualifier = match[2] or query.get("Qualifier")
            name = f"{match[1]}:{qualifier}" if qualifier else match[1]
            return await self._invoke(name, headers, body)
        if match := INVOKE_CONFIG.fullmatch(path):
            config = self.configs.get(f"{match[1]}:{query['Qualifier']}")
            return (200, {}, json.dumps(config).encode()) if config is not None else not_found("no config")
        if (match := CONFIGURATION.fullmatch(path)) and match[1] not in self.answers:
            return not_found("no function")
        if match:
            return self._configuration(match[1], query.get("Qualifier", "$LATEST"))
        if match := CONCURRENCY.fullmatch(path):
            reserved = {"ReservedConcurrentExecutions": 0} if match[1] in self.switched_off else {}
            return 200, {}, json.dumps(reserved).encode()
        if "x-amz-target" in headers:
            return self._send_message(headers, json.loads(body))
        return assume_role()

    async def _invoke(self, name: str, headers: dict[str, str], body: bytes) -> Answered:
        if name.partition(":")[0] not in self.answers:
            return not_found(f"Function not found: {arn(name)}")
        if f"Credential={KEY}/" not in headers["authorization"] and name in self.denied:
            return 403, {"x-amzn-errortype": "AccessDeniedException"}, b'{"Message":"not authorized"}'
        if headers.get("x-amz-invocation-type") == "DryRun":
            self.dry_runs[name] += 1
            return 204, {"x-amz-executed-version": "7"}, b""
        if int(headers.get("x-ministack-invoke-depth", 0)) > 16:
            return 400, {"x-amzn-errortype": "RecursiveInvocationException"}, b'{"message":"recursive loop"}'
        self.events[name].append(json.loads(body))
        self.request_id_headers.append(headers[REQUEST_ID_HEADER])
        self.running[name] += 1
        self.most_running = max(self.most_running, self.running.total())
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        self.running[name] -= 1
        script = self.answers[name.partition(":")[0]]
        return script.pop(0) if len(script) > 1 else script[0]

    def _configuration(self, function: str, qualifier: str) -> Answered:
        version = "7" if qualifier in ("live", "7") else qualifier
        target = self.dead_letter_targets.get(f"{function}:{version}")
        document = {"Version": version, "Role": ROLE, "DeadLetterConfig": {"TargetArn": target} if target else None}
        return 200, {}, json.dumps(document).encode()

    def _send_message(self, headers: dict[str, str], message: dict[str, Any]) -> Answered:
        if message["QueueUrl"].rpartition("/")[2] in self.denied:
            return 403, {}, b'{"__type":"AccessDenied","message":"not authorized to perform: sqs:SendMessage"}'
        assert "Credential=ASIA" in headers["authorization"], "a message is sent as the role"
        self.messages.append(message)
        return 200, {}, b"{}"


def not_found(message: str) -> Answered:
    body = json.dumps({"__type": "ResourceNotFoundException", "message": message}).encode()
    return 404, {"x-amzn-errortype": "ResourceNotFoundException"}, body


def assume_role() -> Answered:
    credentials = (
        "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        "<Expiration>2999-01-01T00:00:00Z</Expiration>"
    )
    namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
    return 200, {}, f'<R xmlns="{namespace}"><Credentials>{credentials}</Credentials></R>'.encode()


@dataclass
class Door:
    """The middleware in front of a fake AWS, as a client sees it."""

    aws: FakeAws
    queue: Queue
    app: AsynchronousInvocation

    async def invoke(self, function: str, payload: bytes = b"{}", **headers: str) -> Answer:
        name, _, qualifier = function.partition(":")
        return await self.request(
            "POST",
            f"/2015-03-31/functions/{name}/invocations",
            payload,
            query=f"Qualifier={qualifier}" if qualifier else "",
            **{"x-amz-invocation-type": "Event", **headers},
        )

    async def request(
        self, method: str, path: str, body: bytes = b"", *, query: str = "", service: str = "lambda", **headers: str
    ) -> Answer:
        scope = http_scope(method, path, query, headers.items())
        return await call(self.app, sent_by(scope, Caller(Key(KEY), service, "us-east-1")), body)

    async def drained(self) -> None:
        async with asyncio.timeout(20):
            while self.queue.counts.open:
                await asyncio.sleep(0.001)
        assert not self.queue.counts.errors


def door(aws: FakeAws, faults: Faults | None = None, concurrency: int = 8) -> Door:
    """Put the middleware in front of a fake AWS, on a clock without waits."""
    waits.clear()
    api = AwsApi(aws.app, "127.0.0.1:1", KEY)
    queue = Queue(api, QueueOptions(TestClock(), faults or Faults(), concurrency))
    return Door(aws, queue, AsynchronousInvocation(api, queue))
