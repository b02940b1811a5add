"""Gives the events that EventBridge's rules send to functions to Lambda's asynchronous queue, as AWS does.

MiniStack runs the function at once: past the queue with its retries and dead letters, and whether or not the function's
policy lets the rule invoke it. No public API stands between the two, so this is the one place that replaces functions
of MiniStack's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from pipeline.local.asynchronous import AwsApi, Queue, Target
from pipeline.local.embedded.ministack import ministack

POLICY = "/2015-03-31/functions/{}/policy"
SERVICE = "events.amazonaws.com"

logger = logging.getLogger(__name__)
_rule: ContextVar[str] = ContextVar("rule")


def deliver_by(queue: Queue, aws: AwsApi) -> None:
    """Let rules that have a function as their target deliver by a queue of this event loop."""
    eventbridge = ministack("services.eventbridge")
    loop = asyncio.get_running_loop()
    invoke_target = eventbridge._invoke_target

    def noting_the_rule(target: Any, event: Any, rule: dict[str, Any], *rest: Any) -> None:
        token = _rule.set(str(rule.get("Arn")))
        try:
            invoke_target(target, event, rule, *rest)
        finally:
            _rule.reset(token)

    def deliver(arn: str, payload: str) -> None:
        rule = _rule.get()
        # MiniStack answers some requests in threads of its own.
        asyncio.run_coroutine_threadsafe(_accept(queue, aws, rule, Target.of_arn(arn), payload), loop)

    eventbridge._invoke_target = noting_the_rule
    eventbridge._dispatch_to_lambda = deliver


async def _accept(queue: Queue, aws: AwsApi, rule: str, target: Target, payload: str) -> None:
    query = {"Qualifier": target.qualifier} if target.qualifier else {}
    path = POLICY.format(target.name)
    answer = await aws.request("GET", path, service="lambda", region=target.region, query=query)
    statements = json.loads(answer.json()["Policy"])["Statement"] if answer.status == 200 else []
    if any(_allows(statement, rule) for statement in statements):
        await queue.accept(target, payload.encode(), request_id=str(uuid4()))
    else:
        queue.counts.errors.append(f"the rule {rule} may not invoke {target.caller_arn}")
        logger.error(queue.counts.errors[-1])


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
