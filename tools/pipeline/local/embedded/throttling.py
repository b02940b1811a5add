"""Throttles the table's writes at random, as DynamoDB does when they are too many at once.

PutItem is refused; of a batch of statements each fails by itself, and the others are executed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.asynchronous import Faults, aws_api
from pipeline.local.asynchronous.aws_api import Answer, AwsApi, Receive, Scope, Send
from pipeline.local.gaps import batch_answer, execute

PUT, BATCH = (f"DynamoDB_20120810.{name}".encode() for name in ("PutItem", "BatchExecuteStatement"))
REQUEST_LIMIT = 16 * 1024 * 1024  # bytes, DynamoDB's own limit
MESSAGE = "Injected: the table's throughput is exceeded."


@dataclass
class Throttling:
    """Wraps an embedded AWS."""

    aws: AwsApi
    faults: Callable[[], Faults]  # returns the faults of the moment
    _faults: Faults = field(default_factory=Faults)
    _attempts: Counter[str] = field(default_factory=Counter)  # of each write since the faults are what they are

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it through."""
        target = next((value for name, value in scope.get("headers", ()) if name == b"x-amz-target"), b"")
        if target not in (PUT, BATCH) or not self.faults().throttle_rate:
            await self.aws.app(scope, receive, send)
            return
        body = await aws_api.read_body(receive, REQUEST_LIMIT) or b""
        answer = await self._put(body) if target == PUT else await self._batch(scope, body)
        if answer is None:
            await self.aws.app(scope, aws_api.replay(body, receive), send)
        else:
            await aws_api.respond(send, answer)

    async def _put(self, body: bytes) -> Answer | None:
        if not self._strikes(json.loads(body)["Item"].values()):
            return None
        refusal = {"__type": "com.amazon.coral.availability#ThrottlingException", "message": MESSAGE}
        return aws_api.json_answer(400, refusal, content_type="application/x-amz-json-1.0")

    async def _batch(self, scope: Scope, body: bytes) -> Answer | None:
        document = json.loads(body)
        struck = [self._strikes(statement.get("Parameters", ())) for statement in document["Statements"]]
        if not any(struck):
            return None
        rest = [one for one, is_struck in zip(document["Statements"], struck, strict=True) if not is_struck]
        executed: list[Any] = []
        if rest:
            answer = await execute(self.aws, scope, {**document, "Statements": rest})
            if answer.status != 200:
                return answer
            executed = answer.json()["Responses"]
        error = {"Error": {"Code": "ThrottlingError", "Message": MESSAGE}}
        return batch_answer([error if is_struck else executed.pop(0) for is_struck in struck])

    def _strikes(self, attributes: Iterable[dict[str, Any]]) -> bool:
        """Decide for a write, which is known by its texts: numbers may be times of this run."""
        faults = self.faults()
        if faults is not self._faults:
            self._faults, self._attempts = faults, Counter()
        write = json.dumps(sorted(str(one["S"]) for one in attributes if "S" in one))
        self._attempts[write] += 1
        return faults.throttles(write, self._attempts[write])
