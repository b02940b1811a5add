"""Each alarm watches a metric that exists, of a resource of this stack, and says what to do."""

from typing import Any

import pytest

from model.project import NAME

from .documented_metrics import DOCUMENTED
from .stages import STAGES
from .translation import of_type

# What a dimension has to hold for an alarm to see the resource that it is about.
DIMENSIONS = {
    **{f"{stage}Function": {"Ref": f"{stage}Function"} for stage in STAGES},
    **{f"{stage}Function:live": {"Fn::Join": [":", [{"Ref": f"{stage}Function"}, "live"]]} for stage in STAGES},
    "DeadLetterQueue": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]},
    "DataTable": {"Ref": "DataTable"},
    "PutItem": "PutItem",
}


def metrics_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what an alarm watches: its one metric, or those of its expression."""
    if "Metrics" not in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


def watched(alarm: dict[str, Any]) -> set[tuple[str, tuple[str, ...]]]:
    """Give the metrics of an alarm, each with what its dimensions name."""
    names = {repr(value): name for name, value in DIMENSIONS.items()}
    return {
        (metric["MetricName"], tuple(names[repr(dimension["Value"])] for dimension in metric["Dimensions"]))
        for metric in metrics_of(alarm)
    }


WATCHED = {
    "DeadLetterAlarm": {("ApproximateNumberOfMessagesVisible", ("DeadLetterQueue",))},
    "DeadLetterAgeAlarm": {("ApproximateAgeOfOldestMessage", ("DeadLetterQueue",))},
    "TableThrottlesAlarm": {("WriteThrottleEvents", ("DataTable",))},
    "TableErrorsAlarm": {("SystemErrors", ("DataTable", "PutItem"))},
    "ProcessorSpilloverAlarm": {
        ("ProvisionedConcurrencySpilloverInvocations", ("ProcessorFunction", "ProcessorFunction:live"))
    },
    **{
        f"{stage}{metric}Alarm": {(metric, (f"{stage}Function", f"{stage}Function:live"))}
        for stage in STAGES
        for metric in ("Errors", "Throttles", "Duration")
    },
    **{
        f"{stage}LossesAlarm": {
            (metric, (f"{stage}Function",))
            for metric in ("DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped")
        }
        for stage in STAGES
    },
}


@pytest.fixture(scope="module")
def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return of_type(template, "AWS::CloudWatch::Alarm")


def test_each_alarm_watches_the_resource_that_it_is_named_for(alarms: dict[str, dict[str, Any]]) -> None:
    assert {name: watched(alarm) for name, alarm in alarms.items()} == WATCHED


def test_each_metric_and_its_dimensions_are_documented(alarms: dict[str, dict[str, Any]]) -> None:
    metrics = [metric for alarm in alarms.values() for metric in metrics_of(alarm)]
    assert len(metrics) == 5 + (3 + 3) * len(STAGES)
    for metric in metrics:
        dimensions = frozenset(dimension["Name"] for dimension in metric["Dimensions"])
        assert dimensions in DOCUMENTED[metric["Namespace"]][metric["MetricName"]], metric


def test_each_alarm_says_what_it_means_and_what_to_do(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        sentences = [sentence for sentence in alarm["AlarmDescription"].split(". ") if sentence]
        assert len(sentences) >= 2, name
        assert len(alarm["AlarmDescription"]) <= 1024, name


def test_each_alarm_goes_on_and_back_to_ok_and_silence_is_no_failure(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmActions"] == alarm["OKActions"], name
        assert len(alarm["AlarmActions"]) == 2, name


def test_each_alarm_is_named_for_its_environment(alarms: dict[str, dict[str, Any]]) -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in alarms.values()]
    assert len(set(names)) == len(alarms)
    assert all(name.endswith("-${EnvironmentSuffix}") for name in names)
    assert f"{NAME}-dlq-messages-${{EnvironmentSuffix}}" in names


def test_one_dead_letter_raises_the_alarm_within_a_minute(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["DeadLetterAlarm"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 1)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)


def test_an_old_letter_raises_the_alarm_well_before_it_is_deleted(
    alarms: dict[str, dict[str, Any]], template: dict[str, Any]
) -> None:
    kept = template["Resources"]["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    assert alarms["DeadLetterAgeAlarm"]["Statistic"] == "Maximum"
    assert kept - alarms["DeadLetterAgeAlarm"]["Threshold"] == 4 * 24 * 3600


def test_a_slow_function_raises_the_alarm_at_four_fifths_of_its_timeout(
    alarms: dict[str, dict[str, Any]], template: dict[str, Any]
) -> None:
    for stage in STAGES:
        alarm = alarms[f"{stage}DurationAlarm"]
        timeout = template["Resources"][f"{stage}Function"]["Properties"]["Timeout"] * 1000
        assert (alarm["ExtendedStatistic"], alarm["Threshold"]) == ("p99", timeout * 0.8)


def test_any_loss_raises_the_alarm_whatever_kind_it_is(alarms: dict[str, dict[str, Any]]) -> None:
    for stage in STAGES:
        alarm = alarms[f"{stage}LossesAlarm"]
        expression, *queries = alarm["Metrics"]
        assert expression["Expression"] == " + ".join(f"FILL({query['Id']}, 0)" for query in queries)
        assert [query["ReturnData"] for query in queries] == [False] * 3
        assert alarm["Threshold"] == 1
