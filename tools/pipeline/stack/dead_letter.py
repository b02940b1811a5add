"""A dead letter: what Lambda wrote into the queue, which stage failed on it, and what that stage was given.

A producer may have written all of the body, but nobody except SQS writes who sent a message. Lambda sends a dead letter
as the function's execution role, and each stage has a role of its own:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html

A later stage is given Lambda's envelope of the stage before: the event, and the result that came of it. This chain is
followed exactly as many steps as there are stages before the one that failed. What is left is what was submitted, and
is never looked into, whatever it resembles.

Two more kinds name the reader: a message that SQS moved from the queue of files (SQS writes its ARN), and EventBridge's
letter about one that it could not put there. Anybody who may send to the queue could write the latter, so it has to be
about a file of the stack's own bucket: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, Self

from .stack import ENTRY, READER, Function, Stack, Stage

REQUEST_ID, ERROR_CODE, ERROR_MESSAGE = "RequestID", "ErrorCode", "ErrorMessage"
"""The names of the attributes that Lambda writes."""
RULE, TARGET, RULES_ERROR = "RULE_ARN", "TARGET_ARN", "ERROR_MESSAGE"
"""The names of some of those that EventBridge writes."""
ATTRIBUTES = (REQUEST_ID, ERROR_CODE, ERROR_MESSAGE, RULE, TARGET, RULES_ERROR)
SOURCE = "DeadLetterQueueSourceArn"
MOVED = "it failed each time that it was tried; the reader's log says why"  # what is known of a message that SQS moved
SYSTEM_ATTRIBUTES = ("SenderId", "SentTimestamp", "ApproximateReceiveCount", SOURCE)
"""What SQS has to be asked for beside a message."""
EVENT, RESULT, CONTEXT = "requestPayload", "responsePayload", "requestContext"
ENVELOPE = frozenset({"version", "timestamp", CONTEXT, EVENT, "responseContext", RESULT})


@dataclass(frozen=True)
class DeadLetter:
    """A message of the dead-letter queue."""

    message_id: str
    receipt: str
    body: str
    sender: str  # who sent it, by SQS: `<role id>:<session>` for a role
    sent: int  # when it came into the queue, in ms since the epoch
    received: int  # how often it was received, this time included
    request_id: str  # of the invocation that failed; empty where it is not Lambda who wrote the message
    error_code: str
    error: str
    source: str = ""  # the ARN of the queue that SQS moved it from, if it did
    rule: str = ""  # the ARN of the rule that could not send it to its target, if it is EventBridge who wrote it
    target: str = ""

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> Self:
        """Read a message as SQS returns it, with whatever attributes it has."""
        system = message.get("Attributes", {})
        attributes = message.get("MessageAttributes", {})
        written = {name: str(value.get("StringValue", "")) for name, value in attributes.items()}
        return cls(
            message["MessageId"],
            message["ReceiptHandle"],
            message["Body"],
            system.get("SenderId", ""),
            int(system.get("SentTimestamp", 0)),
            int(system.get("ApproximateReceiveCount", 0)),
            written.get(REQUEST_ID, ""),
            written.get(ERROR_CODE, ""),
            written.get(ERROR_MESSAGE) or written.get(RULES_ERROR) or (MOVED if system.get(SOURCE) else ""),
            system.get(SOURCE, ""),
            written.get(RULE, ""),
            written.get(TARGET, ""),
        )

    @property
    def time(self) -> str:
        """When it came into the queue, in UTC."""
        return datetime.fromtimestamp(self.sent / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @cached_property
    def _parsed(self) -> tuple[bool, Any]:
        try:
            return True, json.loads(self.body)
        except (ValueError, RecursionError):
            return False, None

    @property
    def is_json(self) -> bool:
        """Whether the body can be parsed."""
        return self._parsed[0]

    @property
    def event(self) -> Any:
        """The event, parsed; None where the body is no JSON."""
        return self._parsed[1]


class Attribution(NamedTuple):
    """Which stage failed, and what it and the stages before it were given; or why that is not known."""

    stage: str | None
    problem: str = ""
    given: Mapping[str, Any] = {}
    """The event that each stage was given, by the stage's name, from the one that failed back to the entry."""
    request_ids: tuple[str, ...] = ()  # of all the invocations that led to the letter, the last one first

    @property
    def is_beside(self) -> bool:
        """True if the function that failed is no stage, since no stage ever handed it a result."""
        if self.stage in (None, ENTRY) or len(self.given) > 1:
            return False
        event = self.given[self.stage or ""]
        return not (isinstance(event, dict) and RESULT in event)

    @property
    def record(self) -> Any:
        """The record, or the batch of them, that the failed stage was given."""
        if self.stage is None:
            return None
        event = self.given[self.stage]
        return event[RESULT] if len(self.given) > 1 else event


def attribute(letter: DeadLetter, stack: Stack) -> Attribution:
    """Find the stage whose role sent a letter, and follow the chain of events back to what was submitted."""
    own = tuple(filter(None, [letter.request_id]))
    if not letter.is_json:
        return Attribution(None, "its body is not JSON", request_ids=own)
    if letter.source or (letter.rule and letter.target):
        return _of_file(letter, stack)
    stage = _sender(letter, stack)
    if stage is None:
        problem = f"no role of the stack sent it, but {letter.sender or 'nobody known'}"
        return Attribution(None, problem, request_ids=own)
    given: dict[str, Any] = {stage: letter.event}
    for before in _stages_before(stage, stack):
        event = given[list(given)[-1]]
        if not _is_envelope(event, stack.stages[before]):
            return Attribution(None, f"the {stage} sent it, but it holds no result of the {before}", request_ids=own)
        own += (event[CONTEXT]["requestId"],)
        given[before] = event[EVENT]
    return Attribution(stage, "", given, own)


def _of_file(letter: DeadLetter, stack: Stack) -> Attribution:
    """Tell whether a letter that no function wrote is about a file; its message keeps its id wherever it is moved."""
    if letter.source:
        if letter.source != stack.files_arn:
            return Attribution(None, f"SQS moved it from {letter.source}, which is not the stack's queue of files")
    elif letter.target != stack.files_arn or inside(letter.event, "detail", "bucket", "name") != stack.bucket:
        return Attribution(None, f"the rule {letter.rule} is not the stack's, or it is about no file of the stack's")
    return Attribution(READER, "", {READER: letter.event}, (letter.message_id,))


def inside(document: Any, *names: str) -> Any:
    """Return what a path of names leads to in a document; None if it leads nowhere."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _sender(letter: DeadLetter, stack: Stack) -> str | None:
    role_id = letter.sender.partition(":")[0]
    return next((name for name, stage in stack.stages.items() if role_id and stage.role_id == role_id), None)


def _stages_before(stage: str, stack: Stack) -> tuple[str, ...]:
    """Return the names of the stages before one, the nearest first; none before one that is not in the pipeline."""
    place = stack.pipeline.index(stage) if stage in stack.pipeline else 0
    return stack.pipeline[:place][::-1]


def _is_envelope(event: Any, stage: Stage) -> bool:
    """Tell whether an event is Lambda's whole document for a success of a stage, whichever version it was of."""
    if not isinstance(event, dict) or not event.keys() >= ENVELOPE or not isinstance(event[CONTEXT], dict):
        return False
    context = event[CONTEXT]
    return (
        isinstance(context.get("requestId"), str)
        and context.get("condition") == "Success"
        and Function.of_arn(context.get("functionArn")) == stage.function
    )
