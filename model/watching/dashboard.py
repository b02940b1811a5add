"""The dashboard: is it working, how fast, what is stuck, what does it cost."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from troposphere import Sub
from troposphere.cloudwatch import Dashboard
from troposphere.dynamodb import Table
from troposphere.events import Rule
from troposphere.sqs import Queue

from model import parameters

from ..conditions import IS_WATCHED
from ..parameters import DEPLOYMENT_TYPE, ENVIRONMENT_SUFFIX, GRADUAL_DEPLOYMENT
from ..stages.function import Component
from . import alarms, counting

WIDTH, HEIGHT = 8, 6  # three widgets to a row of 24 columns; CloudWatch places them in their order
REGION = "${AWS::Region}"
OWN = "${AWS::StackName}"  # the namespace of what is counted from the logs
OF_REGION = f"-{REGION}"  # an account has one list of dashboards for all regions

# Lambda's own lines have no level. They tell what the code could not: runs that were ended, starts that failed. Lambda
# reports a refusal as a failed run, too, of which the code's line says more.
QUERY = f"""\
fields @timestamp, coalesce(message, errorMessage, type) as what, recordId, reason, \
coalesce(errorType, record.errorType, record.status) as error, coalesce(requestId, record.requestId) as request \
| filter level in ['WARN', 'WARNING', 'ERROR', 'CRITICAL'] \
or record.status = 'timeout' or record.errorType in {list(counting.ENDED)} \
or (type = 'platform.initReport' and record.status != 'success')\
"""


class _Stage(NamedTuple):
    """What the widgets need to know of a stage: substitutions that CloudFormation resolves."""

    name: str
    function: str
    alias: str
    log_group: str
    memory: int
    provisioned: bool

    def metric(self, name: str, **options: Any) -> list[Any]:
        """Name a metric of the stage's alias, which is what its callers invoke."""
        resource = f"{self.function}:{self.alias}"
        dimensions = ("FunctionName", self.function, "Resource", resource)
        return ["AWS/Lambda", name, *dimensions, {"label": self.name, **options}]

    def whole(self, name: str, **options: Any) -> list[Any]:
        """Name a metric of the function as a whole."""
        return ["AWS/Lambda", name, "FunctionName", self.function, {"label": self.name, **options}]


def dashboard(stages: Sequence[Component], *, table: Table, dead_letters: Queue) -> Dashboard:
    """Show the stack on one page, from left to right and top to bottom in the order in which one asks."""
    shown = [_shown(stage) for stage in stages]
    widgets = [
        _heading(),
        *_working(shown),
        *_records(shown),
        *_fast(shown),
        *_stuck(shown, f"${{{dead_letters.title}.QueueName}}"),
        *_costing(shown, f"${{{table.title}}}"),
        _query(shown),
    ]
    return Dashboard(
        "Dashboard",
        Condition=IS_WATCHED,
        DashboardName=parameters.suffixed(end=OF_REGION),
        DashboardBody=Sub(_json({"widgets": widgets})),
    )


def files_dashboard(reader: Component, rule: Rule, queue: Queue) -> Dashboard:
    """Show the files: how many, which wait, what failed, how long the reader's steps took."""
    shown, name = _shown(reader), f"${{{queue.title}.QueueName}}"
    given = [
        ["AWS/Events", metric, "RuleName", f"${{{rule.title}}}", {"label": label}]
        for metric, label in (
            ("Invocations", "announced"),
            ("FailedInvocations", "not announced"),
            ("InvocationsSentToDlq", "dead letters"),
            ("InvocationsFailedToBeSentToDlq", "lost"),
        )
    ]
    waiting = [
        ["AWS/SQS", f"ApproximateNumberOfMessages{state}", "QueueName", name, {"label": label}]
        for state, label in (("Visible", "waiting"), ("NotVisible", "being read"), ("Delayed", "being settled"))
    ]
    widgets = [
        _widget("Files uploaded", given, stat="Sum"),
        _widget("Files in work", waiting, stat="Maximum"),
        *_working([shown]),
        *_fast([shown]),
        _query([shown]),
    ]
    return Dashboard(
        "FilesDashboard",
        Condition=IS_WATCHED,
        DashboardName=parameters.suffixed("files", end=OF_REGION),
        DashboardBody=Sub(_json({"widgets": widgets})),
    )


def _heading() -> dict[str, Any]:
    """Name the environment, how it is deployed, and where to look further in CloudWatch's own console."""
    links = {"logs query": "#logsV2:logs-insights", "traces": "#xray:traces/query", "alarms": "#alarmsV2:"}
    deployed = f"gradual deployment: ${{{GRADUAL_DEPLOYMENT.title}}} (${{{DEPLOYMENT_TYPE.title}}})"
    text = " | ".join([f"**${{{ENVIRONMENT_SUFFIX.title}}}**", deployed, *(f"[{k}]({v})" for k, v in links.items())])
    return {"type": "text", "width": 3 * WIDTH, "height": 1, "properties": {"markdown": text}}


def _shown(stage: Component) -> _Stage:
    function = stage.function
    return _Stage(
        name=function.Handler.partition(".")[0],
        function=f"${{{function.title}}}",
        alias=function.AutoPublishAlias,
        log_group=f"${{{stage.log_group.title}}}",
        memory=function.MemorySize,
        provisioned="ProvisionedConcurrencyConfig" in function.properties,
    )


def _working(stages: Sequence[_Stage]) -> list[dict[str, Any]]:
    failed = [
        row
        for s in stages
        for row in (
            s.metric("Errors", label=f"{s.name} errors, refusals included"),
            [OWN, f"{s.name.capitalize()}Failures", {"label": f"{s.name} failures"}],
        )
    ]
    return [
        _widget("Events per stage", [s.metric("Invocations") for s in stages], stat="Sum"),
        _widget("Errors and failures, retries included", failed, stat="Sum"),
        _widget("Throttles", [s.metric("Throttles") for s in stages], stat="Sum"),
    ]


def _records(stages: Sequence[_Stage]) -> list[dict[str, Any]]:
    """Show what became of the records, those in batches included, as the stages log it."""

    def counted(stage: _Stage, kind: str, label: str) -> list[Any]:
        return [OWN, f"{stage.name.capitalize()}{kind}", {"label": f"{stage.name}, {label}"}]

    *before, last = stages
    done = [
        *(counted(s, "Accepted", "accepted") for s in before),
        counted(last, "Stored", "stored"),
        counted(last, "AlreadyStored", "already stored"),
    ]
    return [
        _widget("Records accepted and stored", done, stat="Sum"),
        _widget("Records refused", [counted(s, "Refused", "refused") for s in stages], stat="Sum"),
        _widget("Events failed by other services", [[OWN, counting.DEPENDENCY, {"label": "failed"}]], stat="Sum"),
    ]


def _fast(stages: Sequence[_Stage]) -> list[dict[str, Any]]:
    percentiles = [
        s.metric("Duration", stat=percentile, label=f"{s.name} {percentile}")
        for s in stages
        for percentile in ("p50", "p99")
    ]
    warm = [
        row
        for s in stages
        if s.provisioned
        for row in (
            s.metric("ProvisionedConcurrentExecutions", label=f"{s.name}, on warm instances"),
            s.metric("ProvisionedConcurrencySpilloverInvocations", label=f"{s.name}, found none warm", stat="Sum"),
        )
    ]
    # Of the account's quota also what is reserved or kept warm is taken.
    account = [["AWS/Lambda", "ClaimedAccountConcurrency", {"label": "account, to compare with its quota"}]]
    concurrency = [*(s.whole("ConcurrentExecutions") for s in stages), *warm, *account]
    return [
        _widget("Duration, ms", percentiles),
        _widget("Concurrency", concurrency, stat="Maximum"),
        _widget("Age of events when taken up, ms", [s.whole("AsyncEventAge") for s in stages], stat="Maximum"),
    ]


def _stuck(stages: Sequence[_Stage], queue: str) -> list[dict[str, Any]]:
    """Show what waits and what is lost.

    Lambda counts an event that it gives up as dropped, whether it became a dead letter or not, so the letters are
    shown, too; those of refused records in batches, which the functions send themselves, are among the letters alone.
    """

    def letters(metric: str, label: str) -> list[Any]:
        return ["AWS/SQS", metric, "QueueName", queue, {"label": label}]

    depth = [
        letters("ApproximateNumberOfMessagesVisible", "waiting"),
        letters("ApproximateNumberOfMessagesNotVisible", "held by somebody"),
    ]
    given_up = [
        *(s.whole("AsyncEventsDropped", label=f"{s.name}, given up") for s in stages),
        letters("NumberOfMessagesSent", "letters"),
    ]
    lost = [
        s.whole(metric, label=f"{s.name} {metric}")
        for s in stages
        for metric in ("DeadLetterErrors", "DestinationDeliveryFailures")
    ]
    return [
        _widget("Dead letters", depth, stat="Maximum"),
        _widget("Events given up, and letters", given_up, stat="Sum"),
        _widget("Lost letters and results", lost, stat="Sum"),
    ]


def _costing(stages: Sequence[_Stage], table: str) -> list[dict[str, Any]]:
    gigabyte_seconds = [
        row
        for number, s in enumerate(stages)
        for row in (
            s.metric("Duration", stat="Sum", id=f"duration{number}", visible=False),
            [{"expression": f"duration{number} * {s.memory} / 1024 / 1000", "label": f"{s.name} GB-seconds"}],
        )
    ]
    written = [
        ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", table, {"label": "write units", "stat": "Sum"}],
        ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", table, {"label": "throttled", "stat": "Sum"}],
        *(
            [
                *("AWS/DynamoDB", "SuccessfulRequestLatency", "TableName", table, "Operation", operation),
                {"label": f"latency p99 of {what}, ms", "stat": "p99", "yAxis": "right"},
            ]
            for operation, what in (("PutItem", "a record"), (alarms.BATCH_OPERATION, "25 of a batch"))
        ),
    ]
    logged = [["AWS/Logs", "IncomingBytes", "LogGroupName", s.log_group, {"label": s.name}] for s in stages]
    return [
        _widget("Compute, GB-seconds", gigabyte_seconds),
        _widget("Table: capacity used, throttled, latency", written),
        _widget("Logs, bytes", logged, stat="Sum"),
    ]


def _widget(title: str, metrics: list[Any], **options: Any) -> dict[str, Any]:
    return {
        "type": "metric",
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {"title": title, "region": REGION, "period": 60, **options, "metrics": metrics},
    }


def _query(stages: Iterable[_Stage]) -> dict[str, Any]:
    """Show the latest refusals and failures of all stages; the widget's menu opens the query in Logs Insights."""
    sources = " | ".join(f"SOURCE '{stage.log_group}'" for stage in stages)
    return {
        "type": "log",
        "width": 3 * WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": "Refused, failed and ended: the latest (the menu opens the query in Logs Insights)",
            "region": REGION,
            "view": "table",
            "query": f"{sources} | {QUERY}",
        },
    }


def _json(body: dict[str, Any]) -> str:
    """Write JSON for people: indented, but each metric on a line of its own."""
    innermost_array = re.compile(r"\[[^\[\]]*\]")
    return innermost_array.sub(lambda array: re.sub(r"\s*\n\s*", " ", array[0]), json.dumps(body, indent=2))
