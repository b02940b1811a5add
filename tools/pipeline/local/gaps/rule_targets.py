"""Gives what EventBridge's rules send to functions and queues to those that take it, as AWS does.

MiniStack runs a function at once: past the queue with its retries and dead letters. It asks neither a function's policy
nor a queue's whether the rule may send there, and knows no dead-letter queue of a target:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
No public API stands between a rule and its target, so this replaces functions of MiniStack's own.
"""

import asyncio
import json
import logging
from contextvars import ContextVar
from typing import Any, NamedTuple
from uuid import uuid4

from pipeline.local.asynchronous import Queue, Target
from pipeline.local.asynchronous.aws_api import AwsApi
from pipeline.local.embedded.ministack import ministack

POLICY = "/2015-03-31/functions/{}/policy"
SERVICE = "events.amazonaws.com"
NO_PERMISSIONS, NO_RESOURCE = "NO_PERMISSIONS", "NO_RESOURCE"
"""Why an event is not sent, in EventBridge's words; it is not tried again."""

SENDER = "AROAEXAMPLE"  # as MiniStack has it for what EventBridge sends to queues

logger = logging.getLogger(__name__)


class Sending(NamedTuple):
    """The ARNs of what an event is sent by and to, and of the queue for what can't be sent."""

    rule: str
    target: str
    dead_letter_queue: str

    @property
    def account(self) -> str:
        """The rule's account."""
        return self.rule.split(":")[4]


_sending: ContextVar[Sending] = ContextVar("sending")


def deliver_by(queue: Queue, aws: AwsApi) -> None:
    """Let rules deliver to functions by a queue of this event loop, and to queues by their policies."""
    eventbridge = ministack("services.eventbridge")
    loop = asyncio.get_running_loop()
    invoke_target, send_to_queue = eventbridge._invoke_target, eventbridge._dispatch_to_sqs

    def noting(target: Any, event: Any, rule: dict[str, Any], *rest: Any) -> None:
        dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn", "")
        token = _sending.set(Sending(str(rule.get("Arn")), target.get("Arn", ""), dead_letters))
        try:
            invoke_target(target, event, rule, *rest)
        finally:
            _sending.reset(token)

    def to_function(_: str, payload: str) -> None:
        # MiniStack answers some requests in threads of its own.
        asyncio.run_coroutine_threadsafe(_accept(queue, aws, _sending.get(), payload), loop)

    def to_queue(arn: Any, payload: str, *rest: Any) -> None:
        if code := _refusal_of_queue(str(arn), _sending.get()):
            _fail(code, _sending.get(), payload, queue)
        else:
            send_to_queue(arn, payload, *rest)

    eventbridge._invoke_target = noting
    eventbridge._dispatch_to_lambda, eventbridge._dispatch_to_sqs = to_function, to_queue


def _refusal_of_queue(arn: str, sending: Sending) -> str | None:
    sqs = ministack("services.sqs")
    if sqs._queue_by_arn(arn) is None:
        return NO_RESOURCE
    return None if sqs.queue_policy_allows(arn, SERVICE, sending.rule, sending.account) else NO_PERMISSIONS


async def _accept(queue: Queue, aws: AwsApi, sending: Sending, payload: str) -> None:
    target = Target.of_arn(sending.target)
    query, path = {"Qualifier": target.qualifier} if target.qualifier else {}, POLICY.format(target.name)
    answer = await aws.request("GET", path, service="lambda", region=target.region, query=query)
    statements = json.loads(answer.json()["Policy"])["Statement"] if answer.status == 200 else []
    if any(_allows(statement, sending.rule) for statement in statements):
        await queue.accept(target, payload.encode(), request_id=str(uuid4()))
    else:
        _fail(NO_PERMISSIONS, sending, payload, queue)


def _fail(code: str, sending: Sending, payload: str, queue: Queue) -> None:
    """Send an event to the dead-letter queue of its target; without one that takes it, it is lost."""
    sqs, letters = ministack("services.sqs"), sending.dead_letter_queue
    if not letters or _refusal_of_queue(letters, sending):
        queue.counts.errors.append(f"the rule {sending.rule} may not send to {sending.target}: {code}")
        logger.error(queue.counts.errors[-1])
        return
    told = {"RULE_ARN": sending.rule, "TARGET_ARN": sending.target, "ERROR_CODE": code, "RETRY_ATTEMPTS": "0"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    found = sqs._queue_by_arn(letters)
    sent = sqs._act_send_message({"MessageBody": payload, "MessageAttributes": attributes}, found["url"])
    for message in found["messages"]:
        if message["id"] == sent["MessageId"]:
            message["sys"]["SenderId"] = SENDER


def _allows(statement: dict[str, Any], rule: str) -> bool:
    """Tell whether a statement lets a rule invoke the function; those of Permission resources have this form."""
    condition = statement.get("Condition") or {}
    sources = [value for test in condition.values() for name, value in test.items() if name.lower() == "aws:sourcearn"]
    return (
        statement["Effect"] == "Allow"
        and statement["Action"] == "lambda:InvokeFunction"
        and statement["Principal"] == {"Service": SERVICE}
        and (not condition or sources == [rule])
    )
