"""The health of the stack: what its alarms, queue, functions, logs and table say, as far as AWS tells."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from pipeline.letters.peek import Peek
from pipeline.letters.queue import DeadLetterQueue, Depth, batches
from pipeline.letters.selection import examine
from pipeline.questions import functions, logs
from pipeline.questions.functions import Account, Concurrency, Traffic, Version
from pipeline.questions.logs import Failures
from pipeline.questions.unknown import Unknown, or_unknown
from pipeline.records.bucket import Bucket, FilesInWork, FilesQueue, Standing, announcement
from pipeline.stack import Stack, Stage
from pipeline.stack.aws import Access
from pipeline.terminal.printable import counted

ALARM = "AWS::CloudWatch::Alarm"
ALARMS_AT_ONCE = 100
RECENT = timedelta(hours=1)  # the time that failures and concurrency are looked for in
LOOKED_AT = 1000  # letters that are looked at
VERSIONS = 3  # the newest versions that are told


class Alarm(NamedTuple):
    """An alarm of the stack."""

    name: str
    state: str
    reason: str


class Waiting(NamedTuple):
    """The dead letters that were looked at: how many, how many records they hold, and the age of the oldest."""

    letters: int
    records: int
    oldest_seconds: int


class Trouble(NamedTuple):
    """What needs somebody's attention, and the command that helps."""

    what: str
    do: str


class FunctionHealth(NamedTuple):
    """A stage's function, as its alias stands."""

    name: str
    traffic: tuple[Traffic, ...] | Unknown  # the versions behind the alias; none if the alias is gone
    versions: tuple[Version, ...] | Unknown  # the newest that were published
    concurrency: Concurrency | Unknown
    reserved: int | Unknown | None  # how many runs at once are its own, and its most; None if it shares the account's
    failures: Failures | Unknown


class Health(NamedTuple):
    """The stack at a glance."""

    stack: Stack
    region: str
    alarms: tuple[Alarm, ...] | Unknown
    queue: Depth | Unknown
    waiting: Waiting | Unknown
    functions: Mapping[str, FunctionHealth]
    account: Account | Unknown
    at_once: Mapping[str, int] | Unknown
    """The most runs at once lately, of each stage and, under an empty name, of the account."""
    items: int | Unknown  # as DynamoDB last counted them, which it does every six hours or so
    files: FilesInWork | Unknown | None = None  # None if there is no bucket of files

    @property
    def unknown(self) -> list[Unknown]:
        """All that AWS did not tell."""
        values = (*self, *(value for function in self.functions.values() for value in function))
        return [value for value in values if isinstance(value, Unknown)]

    @property
    def troubles(self) -> list[Trouble]:
        """What needs somebody's attention."""
        alarms = () if isinstance(self.alarms, Unknown) else self.alarms
        on = [alarm.name for alarm in alarms if alarm.state == "ALARM"]
        history = "aws cloudwatch describe-alarm-history --alarm-name {} --max-items 5"
        troubles = [Trouble(f"the alarm {name} is on", history.format(name)) for name in on]
        if isinstance(self.queue, Depth) and (letters := self.queue.visible + self.queue.in_flight):
            waiting = counted(letters, "dead letter waits", "dead letters wait")
            troubles.append(Trouble(waiting, "pipeline dead-letters"))
        for stage, function in self.functions.items():
            troubles += _troubles(stage, function)
        if isinstance(self.files, FilesInWork):
            troubles += [
                Trouble(f"the file {file.key} was announced to nobody", announcement(self.stack.bucket, file.key))
                for file in self.files.of(Standing.UNANNOUNCED)
            ]
        return troubles


def _troubles(stage: str, function: FunctionHealth) -> list[Trouble]:
    troubles, concurrency, failures = [], function.concurrency, function.failures
    newest = function.versions[0].number if not isinstance(function.versions, Unknown) and function.versions else "N"
    alias = f"--function-name {function.name} --name live"
    if function.traffic == ():
        remedy = f"aws lambda create-alias {alias} --function-version {newest}"
        troubles.append(Trouble(f"the {stage} has no alias live any more", remedy))
    if isinstance(concurrency, Concurrency) and concurrency.ready < concurrency.wanted:
        remedy = f"aws lambda get-provisioned-concurrency-config --function-name {function.name} --qualifier live"
        troubles.append(Trouble(f"the {stage} has {concurrency.ready} of {concurrency.wanted} instances ready", remedy))
    if isinstance(failures, Failures) and failures.counts:
        remedy = f"aws logs tail {logs.group_name(function.name)} --since 1h"
        troubles.append(Trouble(f"the {stage} failed: {describe_failures(failures)}", remedy))
    return troubles


def describe_failures(failures: Failures) -> str:
    """Return how often each failure happened, and since when."""
    since = f"since {datetime.fromtimestamp(failures.since / 1000, UTC):%H:%M} UTC"
    if not failures.counts:
        return f"none {since}"
    told = ", ".join(f"{count} x {failure}" for failure, count in failures.counts.items())
    return f"{told} {since}, the last at {datetime.fromtimestamp(failures.last / 1000, UTC):%H:%M}"


def ask(access: Access, stack: Stack, *, letters: Stack | Unknown) -> Health:
    """Ask AWS for all that there is; `letters` is the stack by whose stages in order dead letters are attributed."""
    queue = DeadLetterQueue(access.client("sqs"), stack.queue_url)
    client = access.client("lambda")
    depth = or_unknown(queue.depth)
    return Health(
        stack,
        access.region,
        or_unknown(lambda: alarms(access, stack.name)),
        depth,
        next((one for one in (depth, letters) if isinstance(one, Unknown)), None)
        or or_unknown(lambda: _waiting(queue, depth, letters)),  # type: ignore[arg-type]  # neither is unknown
        {name: _function(access, client, stage) for name, stage in stack.stages.items()},
        or_unknown(lambda: functions.account(client)),
        or_unknown(lambda: _at_once(access, stack)),
        or_unknown(lambda: int(access.client("dynamodb").describe_table(TableName=stack.table)["Table"]["ItemCount"])),
        or_unknown(lambda: files_in_work(access, stack)) if stack.bucket else None,
    )


def files_in_work(access: Access, stack: Stack) -> FilesInWork:
    """Return the files that have no receipt."""
    queue = FilesQueue(access.client("sqs"), stack.files_url)
    return Bucket(access.client("s3"), stack.bucket).in_work(queue)


def resources(access: Access, stack: str) -> list[dict[str, Any]]:
    """Return CloudFormation's summaries of a stack's resources."""
    pages = access.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def alarms(access: Access, stack: str) -> tuple[Alarm, ...]:
    """Return the alarms of a stack, by name."""
    names = [one["PhysicalResourceId"] for one in resources(access, stack) if one["ResourceType"] == ALARM]
    client = access.client("cloudwatch")
    found: list[Any] = []
    for some in batches(names, ALARMS_AT_ONCE):
        found += client.describe_alarms(AlarmNames=some, MaxRecords=ALARMS_AT_ONCE)["MetricAlarms"]
    return tuple(sorted(Alarm(one["AlarmName"], one["StateValue"], one.get("StateReason", "")) for one in found))


def _waiting(queue: DeadLetterQueue, depth: Depth, stack: Stack) -> Waiting:
    if not depth.visible:
        return Waiting(0, 0, 0)
    with Peek(queue, depth) as letters:
        seen = list(islice(letters, LOOKED_AT))
    oldest = min((letter.sent for letter in seen), default=depth.time)
    records = sum(examine(letter, stack).records for letter in seen)
    return Waiting(len(seen), records, max(0, depth.time - oldest) // 1000)


def _function(access: Access, client: Any, stage: Stage) -> FunctionHealth:
    alias = stage.alias
    since = int((datetime.now(UTC) - RECENT).timestamp() * 1000)
    return FunctionHealth(
        stage.function.name if stage.function else alias,
        or_unknown(lambda: functions.traffic(client, alias)),
        or_unknown(lambda: functions.versions(client, alias)[:VERSIONS]),
        or_unknown(lambda: functions.provisioned(client, alias)),
        or_unknown(lambda: functions.reserved(client, alias)),
        or_unknown(lambda: logs.failures(access.client("logs"), logs.group_of(alias), since=since)),
    )


def _at_once(access: Access, stack: Stack) -> Mapping[str, int]:
    names = ["", *stack.stages]
    of_stages = [stage.function for stage in stack.stages.values()]
    dimensions = [[], *([{"Name": "FunctionName", "Value": one.name}] for one in of_stages if one)]
    now = datetime.now(UTC)
    metric = {"Namespace": "AWS/Lambda", "MetricName": "ConcurrentExecutions"}
    statistic = {"Period": int(RECENT.total_seconds()), "Stat": "Maximum"}
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": {**metric, "Dimensions": some}, **statistic}}
        for number, some in enumerate(dimensions)
    ]
    client = access.client("cloudwatch")
    answer: Any = client.get_metric_data(MetricDataQueries=queries, StartTime=now - RECENT, EndTime=now)
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: int(max(values.get(f"m{number}") or [0])) for number, name in enumerate(names)}
