"""The dashboard: is it working, how fast, what is stuck, what does it cost."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

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


def dashboard(stages: Sequence[Component], *, table: Table, dead_letters: Queue) -> Dashboard:
    """Show the stack on one page, from left to right and top to bottom in the order in which one asks."""
    widgets = [
        _heading(),
        *_working(stages),
        *_records(stages),
        *_fast(stages),
        *_stuck(stages, f"${{{dead_letters.title}.QueueName}}"),
        *_costing(stages, f"${{{table.title}}}"),
        _query(stages),
    ]
    return _page("Dashboard", widgets)


def files_dashboard(reader: Component, rule: Rule, queue: Queue) -> Dashboard:
    """Show the files: how many, which wait, what failed, how long the reader's steps took."""
    given = [
        ["AWS/Events", metric, "RuleName", f"${{{rule.title}}}", {"label": label}]
        for metric, label in (
            ("Invocations", "announced"),
            ("FailedInvocations", "not announced"),
            ("InvocationsSentToDlq", "dead letters"),
            ("InvocationsFailedToBeSentToDlq", "lost"),
        )
    ]
    states = {"Visible": "waiting", "NotVisible": "being read", "Delayed": "being settled"}
    widgets = [
        _widget("Files uploaded", given, stat="Sum"),
        _widget("Files in work", _depth(f"${{{queue.title}.QueueName}}", states), stat="Maximum"),
        *_working([reader]),
        *_fast([reader]),
        _query([reader]),
    ]
    return _page("FilesDashboard", widgets, "files")


def _page(title: str, widgets: list[dict[str, Any]], *name: str) -> Dashboard:
    return Dashboard(
        title,
        Condition=IS_WATCHED,
        DashboardName=parameters.suffixed(*name, end=OF_REGION),
        DashboardBody=Sub(_json({"widgets": widgets})),
    )


def _heading() -> dict[str, Any]:
    """Name the environment, how it is deployed, and where to look further in CloudWatch's own console."""
    links = {"logs query": "#logsV2:logs-insights", "traces": "#xray:traces/query", "alarms": "#alarmsV2:"}
    deployed = f"gradual deployment: ${{{GRADUAL_DEPLOYMENT.title}}} (${{{DEPLOYMENT_TYPE.title}}})"
    text = " | ".join([f"**${{{ENVIRONMENT_SUFFIX.title}}}**", deployed, *(f"[{k}]({v})" for k, v in links.items())])
    return {"type": "text", "width": 3 * WIDTH, "height": 1, "properties": {"markdown": text}}


def _working(stages: Sequence[Component]) -> list[dict[str, Any]]:
    failed = [
        row
        for s in stages
        for row in (
            _of_alias(s, "Errors", " errors, refusals included"),
            _counted(s, "Failures", " failures"),
        )
    ]
    return [
        _widget("Events per stage", [_of_alias(s, "Invocations") for s in stages], stat="Sum"),
        _widget("Errors and failures, retries included", failed, stat="Sum"),
        _widget("Throttles", [_of_alias(s, "Throttles") for s in stages], stat="Sum"),
    ]


def _records(stages: Sequence[Component]) -> list[dict[str, Any]]:
    """Show what became of the records, those in batches included, as the stages log it."""
    *before, last = stages
    done = [
        *(_counted(s, "Accepted", ", accepted") for s in before),
        _counted(last, "Stored", ", stored"),
        _counted(last, "AlreadyStored", ", already stored"),
    ]
    return [
        _widget("Records accepted and stored", done, stat="Sum"),
        _widget("Records refused", [_counted(s, "Refused", ", refused") for s in stages], stat="Sum"),
        _widget("Events failed by other services", [[OWN, counting.DEPENDENCY, {"label": "failed"}]], stat="Sum"),
    ]


def _fast(stages: Sequence[Component]) -> list[dict[str, Any]]:
    percentiles = [
        _of_alias(s, "Duration", f" {percentile}", stat=percentile) for s in stages for percentile in ("p50", "p99")
    ]
    warm = [
        row
        for s in stages
        if s.capacity.provisioned
        for row in (
            _of_alias(s, "ProvisionedConcurrentExecutions", ", on warm instances"),
            _of_alias(s, "ProvisionedConcurrencySpilloverInvocations", ", found none warm", stat="Sum"),
        )
    ]
    # Of the account's quota also what is reserved or kept warm is taken.
    account = [["AWS/Lambda", "ClaimedAccountConcurrency", {"label": "account, to compare with its quota"}]]
    concurrency = [*(_of_function(s, "ConcurrentExecutions") for s in stages), *warm, *account]
    return [
        _widget("Duration, ms", percentiles),
        _widget("Concurrency", concurrency, stat="Maximum"),
        _widget("Age of events when taken up, ms", [_of_function(s, "AsyncEventAge") for s in stages], stat="Maximum"),
    ]


def _stuck(stages: Sequence[Component], queue: str) -> list[dict[str, Any]]:
    """Show what waits and what is lost.

    Lambda counts an event that it gives up as dropped, whether it became a dead letter or not, so the letters are
    shown, too; those of refused records in batches, which the functions send themselves, are among the letters alone.
    """
    depth = _depth(queue, {"Visible": "waiting", "NotVisible": "held by somebody"})
    given_up = [
        *(_of_function(s, "AsyncEventsDropped", ", given up") for s in stages),
        ["AWS/SQS", "NumberOfMessagesSent", "QueueName", queue, {"label": "letters"}],
    ]
    lost = [
        _of_function(s, metric, f" {metric}")
        for s in stages
        for metric in ("DeadLetterErrors", "DestinationDeliveryFailures")
    ]
    return [
        _widget("Dead letters", depth, stat="Maximum"),
        _widget("Events given up, and letters", given_up, stat="Sum"),
        _widget("Lost letters and results", lost, stat="Sum"),
    ]


def _costing(stages: Sequence[Component], table: str) -> list[dict[str, Any]]:
    gigabyte_seconds = [
        row
        for i, s in enumerate(stages)
        for row in (
            _of_alias(s, "Duration", stat="Sum", id=f"duration{i}", visible=False),
            [{"expression": f"duration{i} * {s.stage.memory} / 1024 / 1000", "label": f"{s.stage.name} GB-seconds"}],
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
    logged = [
        ["AWS/Logs", "IncomingBytes", "LogGroupName", f"${{{s.log_group.title}}}", {"label": s.stage.name}]
        for s in stages
    ]
    return [
        _widget("Compute, GB-seconds", gigabyte_seconds),
        _widget("Table: capacity used, throttled, latency", written),
        _widget("Logs, bytes", logged, stat="Sum"),
    ]


def _of_alias(stage: Component, metric: str, what: str = "", **options: Any) -> list[Any]:
    """Name a metric of the stage's alias, which is what its callers invoke; `what` follows the stage's name."""
    resource = f"${{{stage.function.title}}}:{stage.function.AutoPublishAlias}"
    *whole, shown = _of_function(stage, metric, what)
    return [*whole, "Resource", resource, {**shown, **options}]


def _of_function(stage: Component, metric: str, what: str = "") -> list[Any]:
    label = f"{stage.stage.name}{what}"
    return ["AWS/Lambda", metric, "FunctionName", f"${{{stage.function.title}}}", {"label": label}]


def _counted(stage: Component, kind: str, what: str) -> list[Any]:
    """Name a metric that is counted from the stage's log."""
    return [OWN, f"{stage.stage.title}{kind}", {"label": f"{stage.stage.name}{what}"}]


def _depth(queue: str, states: dict[str, str]) -> list[list[Any]]:
    """Name the metrics of a queue's messages, by their states with labels."""
    return [
        ["AWS/SQS", f"ApproximateNumberOfMessages{state}", "QueueName", queue, {"label": label}]
        for state, label in states.items()
    ]


def _widget(title: str, metrics: list[Any], **options: Any) -> dict[str, Any]:
    properties = {"title": title, "region": REGION, "period": 60, **options, "metrics": metrics}
    return {"type": "metric", "width": WIDTH, "height": HEIGHT, "properties": properties}


def _query(stages: Iterable[Component]) -> dict[str, Any]:
    """Show the latest refusals and failures of all stages; the widget's menu opens the query in Logs Insights."""
    title = "Refused, failed and ended: the latest (the menu opens the query in Logs Insights)"
    sources = " | ".join(f"SOURCE '${{{stage.log_group.title}}}'" for stage in stages)
    properties = {"title": title, "region": REGION, "view": "table", "query": f"{sources} | {QUERY}"}
    return {"type": "log", "width": 3 * WIDTH, "height": HEIGHT, "properties": properties}


def _json(body: dict[str, Any]) -> str:
    """Write JSON for people: indented, but each metric on a line of its own."""
    innermost_array = re.compile(r"\[[^\[\]]*\]")
    return innermost_array.sub(lambda array: re.sub(r"\s*\n\s*", " ", array[0]), json.dumps(body, indent=2))
