"""The health of the stack: what its alarms, queue, functions and table say, as far as AWS tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from deployed import Stack
from operate.aws import Access, code_of, explain
from operate.dead_letters.queue import DeadLetterQueue, Depth
from operate.errors import AwsError, DeniedError
from operate.screen import counted

ALARM = "AWS::CloudWatch::Alarm"
ALARMS_AT_ONCE = 100
RECENT = timedelta(minutes=15)
"""SQS reports the age of the oldest message each minute, some minutes late."""

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


class FunctionHealth(NamedTuple):
    """A stage's function, as its alias stands."""

    versions: tuple[Version, ...] | Unknown
    concurrency: Concurrency | Unknown


class Health(NamedTuple):
    """The stack at a glance."""

    stack: Stack
    region: str
    alarms: tuple[Alarm, ...] | Unknown
    queue: Depth | Unknown
    oldest: int | Unknown | None
    """Age of the oldest dead letter in seconds; None where there is no letter."""
    functions: Mapping[str, FunctionHealth]
    items: int | Unknown
    """As DynamoDB last counted them, which it does every six hours or so."""

    @property
    def unknown(self) -> list[Unknown]:
        """All that AWS did not tell."""
        functions = [value for function in self.functions.values() for value in function]
        values: list[object] = [self.alarms, self.queue, self.oldest, self.items, *functions]
        return [value for value in values if isinstance(value, Unknown)]

    @property
    def troubles(self) -> list[str]:
        """What needs somebody's attention, a phrase each."""
        alarms = [] if isinstance(self.alarms, Unknown) else self.alarms
        troubles = [f"the alarm {alarm.name} is on" for alarm in alarms if alarm.state == "ALARM"]
        if isinstance(self.queue, Depth) and (letters := self.queue.visible + self.queue.in_flight):
            troubles.append(counted(letters, "dead letter waits", "dead letters wait"))
        for stage, function in self.functions.items():
            concurrency = function.concurrency
            if isinstance(concurrency, Concurrency) and concurrency.ready < concurrency.wanted:
                troubles.append(f"the {stage} has {concurrency.ready} of {concurrency.wanted} instances ready")
        return troubles


def ask(access: Access, stack: Stack) -> Health:
    """Ask AWS for all that there is; what it does not tell is unknown."""
    queue = _or_unknown(lambda: DeadLetterQueue(access.client("sqs"), stack.queue_url).depth())
    client = access.client("lambda")
    return Health(
        stack,
        access.region,
        _or_unknown(lambda: _alarms(access, stack)),
        queue,
        _or_unknown(lambda: _oldest(access, stack, queue)),
        {stage: _function(client, alias) for stage, alias in stack.aliases.items()},
        _or_unknown(lambda: _items(access, stack)),
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


def _oldest(access: Access, stack: Stack, queue: Depth | Unknown) -> int | Unknown | None:
    now = datetime.now(UTC)
    answer: Any = access.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": stack.queue_arn.rpartition(":")[2]}],
        StartTime=now - RECENT,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )
    if isinstance(queue, Depth) and not queue.visible + queue.in_flight:
        return None
    if not answer["Datapoints"]:
        return Unknown(f"CloudWatch has no figure of the last {RECENT.seconds // 60} minutes")
    return int(max(answer["Datapoints"], key=lambda point: point["Timestamp"])["Maximum"])


def _function(client: Any, alias: str) -> FunctionHealth:
    return FunctionHealth(
        _or_unknown(lambda: _versions(client, alias)), _or_unknown(lambda: _concurrency(client, alias))
    )


def _versions(client: Any, alias: str) -> tuple[Version, ...]:
    """List the aliases: MiniStack takes the permission for that where one alias is asked for, too."""
    function, _, _ = alias.rpartition(":")
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    found = next(one for page in pages for one in page["Aliases"] if one["AliasArn"] == alias)
    others = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    rest = 1 - sum(others.values())
    return (Version(found["FunctionVersion"], rest), *(Version(*item) for item in sorted(others.items())))


def _concurrency(client: Any, alias: str) -> Concurrency:
    function, _, name = alias.rpartition(":")
    try:
        answer = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=name)
    except ClientError as error:
        if code_of(error) == "ProvisionedConcurrencyConfigNotFoundException":
            return Concurrency()
        raise
    return Concurrency(
        answer.get("RequestedProvisionedConcurrentExecutions", 0),
        answer.get("AvailableProvisionedConcurrentExecutions", 0),
        answer.get("Status", ""),
    )


def _items(access: Access, stack: Stack) -> int:
    answer: Any = access.client("dynamodb").describe_table(TableName=stack.table)
    return int(answer["Table"]["ItemCount"])
