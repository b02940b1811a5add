"""What AWS documents of alarms, as checks on the resources of a template as it is deployed.

That an alarm watches what its name says is checked by E9145 of tools/pipeline/rules and by test_alarms.py. Each check
names the resources that break it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from .updates import Resources, of_type

ALARM = "AWS::CloudWatch::Alarm"
HOUR, DAY = 3600, 24 * 3600  # seconds


def filled(resources: Resources) -> Iterator[str]:
    """FILL can hold an alarm's newest point at what it fills in, for a metric that is reported late.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    for name, alarm in of_type(resources, ALARM):
        if any("FILL" in query.get("Expression", "") for query in alarm.get("Metrics", [])):
            yield name


def window(resources: Resources) -> Iterator[str]:
    """An alarm looks back seven days at most, with periods of less than an hour one day, and not for more than it sees.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    for name, alarm in of_type(resources, ALARM):
        longest = 7 * DAY if period(alarm) >= HOUR else DAY
        wanted = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
        if seconds(alarm) > longest or not 1 <= wanted <= alarm["EvaluationPeriods"] or period(alarm) % 60:
            yield name


def rolled_back(resources: Resources) -> Iterator[str]:
    """A rollback has at most ten alarms, none counts refusals, and none stays on: while it does, nothing is deployed.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html
    """
    for name, group in of_type(resources, "AWS::CodeDeploy::DeploymentGroup"):
        alarms = [resources[alarm["Name"]["Ref"]]["Properties"] for alarm in group["AlarmConfiguration"]["Alarms"]]
        watched = {metric["MetricName"] for alarm in alarms for metric in metrics(alarm)}
        # An event that is refused, throttled, or too large for a letter is no version's fault.
        blameless = watched & {"Errors", "Throttles", "DeadLetterErrors", "AsyncEventsDropped"}
        if blameless or not 1 <= len(alarms) <= 10 or any(seconds(alarm) > 600 for alarm in alarms):
            yield name


def unwatched(resources: Resources) -> Iterator[str]:
    """Nothing but a metric of its function tells of a letter or a result that Lambda could not deliver."""
    for name, event_invoke in of_type(resources, "AWS::Lambda::EventInvokeConfig"):
        delivered = ["DeadLetterErrors", "DestinationDeliveryFailures"][: 1 + bool(event_invoke["DestinationConfig"])]
        if any(not _remembered(resources, metric, event_invoke["FunctionName"]) for metric in delivered):
            yield name


def late(resources: Resources) -> Iterator[str]:
    """An alarm on the age of events has to come well before Lambda gives them up: with half of the time left."""
    for name, event_invoke in of_type(resources, "AWS::Lambda::EventInvokeConfig"):
        alarms = _plain_alarms_on(resources, "AsyncEventAge", event_invoke["FunctionName"])
        half = event_invoke["MaximumEventAgeInSeconds"] * 1000 / 2
        if not any(alarm["Threshold"] <= half and alarm["Statistic"] == "Maximum" for alarm in alarms):
            yield name


RULES: list[Callable[[Resources], Iterator[str]]] = [filled, window, rolled_back, unwatched, late]


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """List what an alarm watches: its one metric, or those of its expression."""
    if "Metrics" not in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


def seconds(alarm: dict[str, Any]) -> int:
    """Give how far back an alarm looks."""
    looked_back: int = period(alarm) * alarm["EvaluationPeriods"]
    return looked_back


def period(alarm: dict[str, Any]) -> int:
    """Give the seconds of a period, which an expression has from its metrics."""
    return max(
        [alarm["Period"]]
        if "Period" in alarm
        else [m["MetricStat"]["Period"] for m in alarm["Metrics"] if "MetricStat" in m]
    )


def _plain_alarms_on(resources: Resources, metric: str, function: Any) -> list[dict[str, Any]]:
    of_function = {"Name": "FunctionName", "Value": function}
    alarms = (alarm for _, alarm in of_type(resources, ALARM))
    return [a for a in alarms if a.get("MetricName") == metric and of_function in a["Dimensions"]]


def _remembered(resources: Resources, metric: str, function: Any) -> bool:
    """Say whether one point of a function's metric sets an alarm off, for several minutes."""
    return any(
        alarm["DatapointsToAlarm"] == alarm["Threshold"] == 1 and seconds(alarm) >= 300
        for alarm in _plain_alarms_on(resources, metric, function)
    )
