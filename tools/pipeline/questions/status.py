"""The health of the stack: what its alarms, queue, functions, logs and table say, as far as AWS tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.errors import AwsError, DeniedError
from pipeline.letters.peek import Peek
from pipeline.letters.queue import DeadLetterQueue, Depth
from pipeline.records.bucket import Bucket, FilesInWork
from pipeline.stack import Stack
from pipeline.stack.aws import Access, code_of, explain
from pipeline.terminal.printable import counted

ALARM = "AWS::CloudWatch::Alarm"
ALARMS_AT_ONCE = 100
RECENT = timedelta(hours=1)
"""The time that failures and concurrency are looked for in."""
LOOKED_AT = 1000
"""Letters, of which the oldest is told: SQS's own figure leaves out what was received three times."""
PAGES = 10
"""Of a log, many of which may be empty: CloudWatch ends one after so much that it looked through."""

FAILURES = (
    '($.record.status = "timeout")',
    '($.record.errorType = "Runtime.OutOfMemory")',
    '($.record.errorType = "Runtime.ExitError")',
    '(($.type = "platform.initReport") && ($.record.status != "success"))',
)
"""The lines of a log in which Lambda tells of runs that were ended without a word of their own:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""

T = TypeVar("T")


class Unknown(NamedTuple):
    """What AWS did not tell, and why."""

    reason: str
    denied: bool = False


class Alarm(NamedTuple):
    """An alarm of the stack."""

    name: str
    state: str
    reason: str


class Version(NamedTuple):
    """A version behind the alias, with its part of the traffic."""

    number: str
    weight: float


class Concurrency(NamedTuple):
    """Provisioned concurrency; nothing wanted where none is configured."""

    wanted: int = 0
    ready: int = 0
    state: str = ""


class Account(NamedTuple):
    """How many runs there may be at once in the account's region, and how many no function has reserved."""

    limit: int
    unreserved: int


class Oldest(NamedTuple):
    """The oldest of the dead letters that were looked at."""

    seconds: int
    looked_at: int


class FunctionHealth(NamedTuple):
    """A stage's function, as its alias stands."""

    versions: tuple[Version, ...] | Unknown
    concurrency: Concurrency | Unknown
    reserved: int | Unknown | None
    """How many runs at once are its own, and its most; None where it shares the account's."""
    failures: Mapping[str, int] | Unknown
    """How often Lambda ended a run lately, by reason, as far as some pages of the log go."""


class Health(NamedTuple):
    """The stack at a glance."""

    stack: Stack
    region: str
    alarms: tuple[Alarm, ...] | Unknown
    queue: Depth | Unknown
    oldest: Oldest | Unknown | None
    """None where there is no letter that can be seen."""
    functions: Mapping[str, FunctionHealth]
    account: Account | Unknown
    at_once: Mapping[str, int] | Unknown
    """The most runs at once lately, of each stage and, under an empty name, of the account; none where none ran."""
    items: int | Unknown
    """As DynamoDB last counted them, which it does every six hours or so."""
    files: FilesInWork | Unknown | None = None
    """None where there is no bucket of files."""

    @property
    def unknown(self) -> list[Unknown]:
        """All that AWS did not tell."""
        functions = [value for function in self.functions.values() for value in function]
        values: list[object] = [
            self.alarms,
            self.queue,
            self.oldest,
            self.account,
            self.at_once,
            self.items,
            self.files,
        ]
        return [value for value in (*values, *functions) if isinstance(value, Unknown)]

    @property
    def troubles(self) -> list[str]:
        """What needs somebody's attention, a phrase each."""
        alarms = [] if isinstance(self.alarms, Unknown) else self.alarms
        troubles = [f"the alarm {alarm.name} is on" for alarm in alarms if alarm.state == "ALARM"]
        if isinstance(self.queue, Depth) and (letters := self.queue.visible + self.queue.in_flight):
            troubles.append(counted(letters, "dead letter waits", "dead letters wait"))
        for stage, function in self.functions.items():
            concurrency, failures = function.concurrency, function.failures
            if isinstance(concurrency, Concurrency) and concurrency.ready < concurrency.wanted:
                troubles.append(f"the {stage} has {concurrency.ready} of {concurrency.wanted} instances ready")
            if not isinstance(failures, Unknown) and failures:
                troubles.append(f"the {stage} failed within the last hour: {describe_failures(failures)}")
        return troubles


def describe_failures(failures: Mapping[str, int]) -> str:
    """Return how often each failure happened."""
    return ", ".join(f"{count} x {failure}" for failure, count in failures.items()) or "none"


def ask(access: Access, stack: Stack) -> Health:
    """Ask AWS for all that there is; what it does not tell is unknown."""
    queue = DeadLetterQueue(access.client("sqs"), stack.queue_url)
    client = access.client("lambda")
    depth = _or_unknown(queue.depth)
    return Health(
        stack,
        access.region,
        _or_unknown(lambda: _alarms(access, stack)),
        depth,
        depth if isinstance(depth, Unknown) else _or_unknown(lambda: _oldest(queue, depth)),
        {name: _function(access, client, stage.alias) for name, stage in stack.stages.items()},
        _or_unknown(lambda: _account(client)),
        _or_unknown(lambda: _at_once(access, stack)),
        _or_unknown(lambda: _items(access, stack)),
        _or_unknown(lambda: Bucket(access.client("s3"), stack.bucket).in_work()) if stack.bucket else None,
    )


def _or_unknown(question: Callable[[], T]) -> T | Unknown:
    try:
        return question()
    except AwsError as error:
        return Unknown(str(error), denied=isinstance(error, DeniedError))
    except (ClientError, BotoCoreError) as error:
        told = explain(error)
        return Unknown(str(told), denied=isinstance(told, DeniedError))


def _alarms(access: Access, stack: Stack) -> tuple[Alarm, ...]:
    pages = access.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    names = [resource["PhysicalResourceId"] for resource in resources if resource["ResourceType"] == ALARM]
    client = access.client("cloudwatch")
    found = []
    for start in range(0, len(names), ALARMS_AT_ONCE):
        described: Any = client.describe_alarms(
            AlarmNames=names[start : start + ALARMS_AT_ONCE], MaxRecords=ALARMS_AT_ONCE
        )
        found += described["MetricAlarms"]
    return tuple(
        Alarm(alarm["AlarmName"], alarm["StateValue"], alarm.get("StateReason", ""))
        for alarm in sorted(found, key=lambda alarm: str(alarm["AlarmName"]))
    )


def _oldest(queue: DeadLetterQueue, depth: Depth) -> Oldest | None:
    if not depth.visible:
        return None
    with Peek(queue, depth) as letters:
        sent = [letter.sent for letter in islice(letters, LOOKED_AT)]
    return Oldest(max(0, depth.time - min(sent)) // 1000, len(sent)) if sent else None


def _function(access: Access, client: Any, alias: str) -> FunctionHealth:
    function, _, qualifier = alias.rpartition(":")
    return FunctionHealth(
        _or_unknown(lambda: _versions(client, alias)),
        _or_unknown(lambda: _concurrency(client, function, qualifier)),
        _or_unknown(lambda: _reserved(client, function)),
        _or_unknown(lambda: _failures(access, function)),
    )


def _versions(client: Any, alias: str) -> tuple[Version, ...]:
    """List the aliases: MiniStack takes the permission for that where one alias is asked for, too."""
    function, _, _ = alias.rpartition(":")
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    found = next(one for page in pages for one in page["Aliases"] if one["AliasArn"] == alias)
    others = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    rest = 1 - sum(others.values())
    return (Version(found["FunctionVersion"], rest), *(Version(*item) for item in sorted(others.items())))


def _concurrency(client: Any, function: str, qualifier: str) -> Concurrency:
    try:
        answer = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)
    except ClientError as error:
        if code_of(error) == "ProvisionedConcurrencyConfigNotFoundException":
            return Concurrency()
        raise
    return Concurrency(
        answer.get("RequestedProvisionedConcurrentExecutions", 0),
        answer.get("AvailableProvisionedConcurrentExecutions", 0),
        answer.get("Status", ""),
    )


def _reserved(client: Any, function: str) -> int | None:
    reserved: int | None = client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")
    return reserved


def _account(client: Any) -> Account:
    limits = client.get_account_settings()["AccountLimit"]
    return Account(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"])


def _failures(access: Access, function: str) -> Mapping[str, int]:
    """Count the failures that Lambda wrote into a function's log."""
    pages = (
        access.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{function.rpartition(':')[2]}",
            startTime=int((datetime.now(UTC) - RECENT).timestamp() * 1000),
            filterPattern=f"{{ {' || '.join(FAILURES)} }}",
        )
    )
    messages = (event["message"] for page in islice(pages, PAGES) for event in page["events"])
    return Counter(filter(None, map(_failure, messages)))


def _failure(message: str) -> str | None:
    """Return which failure a line of the log tells of."""
    try:
        line = json.loads(message)
        record = line["record"]
        status, error = record.get("status"), record.get("errorType")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if line.get("type") == "platform.initReport":
        return "failed start" if status != "success" else None
    if status == "timeout":
        return "timeout"
    return {"Runtime.OutOfMemory": "out of memory", "Runtime.ExitError": "ended itself"}.get(error)


def _at_once(access: Access, stack: Stack) -> Mapping[str, int]:
    names = ["", *stack.stages]
    functions = [stage.function for stage in stack.stages.values()]
    dimensions = [[], *([{"Name": "FunctionName", "Value": function.name}] for function in functions if function)]
    now = datetime.now(UTC)
    answer: Any = access.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": "ConcurrentExecutions",
                        "Dimensions": some,
                    },
                    "Period": int(RECENT.total_seconds()),
                    "Stat": "Maximum",
                },
            }
            for number, some in enumerate(dimensions)
        ],
        StartTime=now - RECENT,
        EndTime=now,
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: int(max(values.get(f"m{number}") or [0])) for number, name in enumerate(names)}


def _items(access: Access, stack: Stack) -> int:
    answer: Any = access.client("dynamodb").describe_table(TableName=stack.table)
    return int(answer["Table"]["ItemCount"])
