"""Each alarm watches a metric that exists, of a resource of this stack, and says what to do."""

from typing import Any

import pytest

from model.project import NAME

from ..built_stages import STAGES, following
from ..documented_metrics import DOCUMENTED
from ..translation import of_type

Alarms = dict[str, dict[str, Any]]
FUNCTIONS = [f"{stage}Function" for stage in (*STAGES, "Reader")]
# What a dimension has to hold for an alarm to see the resource that it is about.
DIMENSIONS = {
    **{name: {"Ref": name} for name in (*FUNCTIONS, "FilesRule", "DataTable")},
    **{f"{name}:live": {"Fn::Join": [":", [{"Ref": name}, "live"]]} for name in FUNCTIONS},
    **{name: {"Fn::GetAtt": [name, "QueueName"]} for name in ("DeadLetterQueue", "FilesQueue")},
    **{name: name for name in ("PutItem", "BatchExecuteStatement")},
}


def watched(alarm: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Give the metric of an alarm, and what its dimensions name; of an expression the metrics."""
    if "Metrics" in alarm:
        stats = (query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query)
        return "", tuple(stat["Metric"]["MetricName"] for stat in stats)
    names = {repr(value): name for name, value in DIMENSIONS.items()}
    return alarm["MetricName"], tuple(names[repr(one["Value"])] for one in alarm.get("Dimensions", []))


WATCHED = {
    "DeadLetterAlarm": ("ApproximateNumberOfMessagesVisible", ("DeadLetterQueue",)),
    "DeadLettersHeldAlarm": ("ApproximateNumberOfMessagesNotVisible", ("DeadLetterQueue",)),
    "DeadLetterAgeAlarm": ("ApproximateNumberOfMessagesVisible", ("DeadLetterQueue",)),
    "TableThrottlesAlarm": ("WriteThrottleEvents", ("DataTable",)),
    "TableErrorsAlarm": ("SystemErrors", ("DataTable", "PutItem")),
    "TableBatchErrorsAlarm": ("SystemErrors", ("DataTable", "BatchExecuteStatement")),
    "DependencyFailuresAlarm": ("DependencyFailures", ()),
    "RefusedRecordsAlarm": ("", (f"{STAGES[0]}Refused", f"{STAGES[0]}Accepted")),
    "ProcessorSpilloverAlarm": (
        "ProvisionedConcurrencySpilloverInvocations",
        ("ProcessorFunction", "ProcessorFunction:live"),
    ),
    "FilesLostAlarm": ("InvocationsFailedToBeSentToDlq", ("FilesRule",)),
    "FilesWaitingAlarm": ("ApproximateNumberOfMessagesVisible", ("FilesQueue",)),
    "ReaderFailuresAlarm": ("ReaderFailures", ()),
    "ReaderThrottlesAlarm": ("Throttles", ("ReaderFunction", "ReaderFunction:live")),
    **{f"{stage}FailuresAlarm": (f"{stage}Failures", ()) for stage in STAGES},
    **{
        f"{stage}{metric}Alarm": (metric, (f"{stage}Function", f"{stage}Function:live"))
        for stage in STAGES
        for metric in ("Throttles", "Duration")
    },
    **{f"{stage}EventAgeAlarm": ("AsyncEventAge", (f"{stage}Function",)) for stage in STAGES},
    **{f"{stage}LostLettersAlarm": ("DeadLetterErrors", (f"{stage}Function",)) for stage in STAGES},
    **{
        f"{stage}LostResultsAlarm": ("DestinationDeliveryFailures", (f"{stage}Function",))
        for stage in STAGES
        if following(stage)
    },
}


@pytest.fixture(scope="module")
def alarms(template: dict[str, Any]) -> Alarms:
    return of_type(template, "AWS::CloudWatch::Alarm")


def test_each_alarm_watches_the_resource_that_it_is_named_for(alarms: Alarms) -> None:
    assert {name: watched(alarm) for name, alarm in alarms.items()} == WATCHED


def test_each_metric_and_its_dimensions_are_documented(alarms: Alarms) -> None:
    own = {"Ref": "AWS::StackName"}
    of_aws = [alarm for alarm in alarms.values() if alarm.get("Namespace", own) != own]
    assert len(of_aws) == len(alarms) - len([*STAGES, "Reader", "Dependency", "Refused"])
    for alarm in of_aws:
        dimensions = frozenset(dimension["Name"] for dimension in alarm["Dimensions"])
        assert dimensions in DOCUMENTED[alarm["Namespace"]][alarm["MetricName"]], alarm


def test_only_a_share_takes_metric_math(alarms: Alarms) -> None:
    assert [name for name, alarm in alarms.items() if "Metrics" in alarm] == ["RefusedRecordsAlarm"]


@pytest.mark.parametrize(
    ("refused", "accepted", "on"),
    [(25, 75, True), (24, 76, False), (100, 0, True), (99, 0, False), (0, 1000, False)],
)
def test_a_quarter_of_a_hundred_records_refused_in_an_hour_raises_the_alarm(
    alarms: Alarms, refused: int, accepted: int, on: bool
) -> None:
    alarm = alarms["RefusedRecordsAlarm"]
    share, *counts = alarm["Metrics"]
    assert [query["Id"] for query in counts] == ["refused", "accepted"]
    assert [(query["MetricStat"]["Period"], query["MetricStat"]["Stat"]) for query in counts] == [(3600, "Sum")] * 2
    assert [query.get("ReturnData", True) for query in alarm["Metrics"]] == [True, False, False]
    given = {"IF": lambda holds, yes, no: yes if holds else no, "refused": refused, "accepted": accepted}
    assert (eval(share["Expression"], given) >= alarm["Threshold"]) == on


def test_the_counts_of_a_share_have_a_zero_wherever_the_stage_logs(template: dict[str, Any]) -> None:
    """Otherwise an hour in which all was refused would have no count of what was accepted, and no share."""
    for kind in ("Refused", "Accepted"):
        (counted,) = template["Resources"][f"{STAGES[0]}{kind}Filter"]["Properties"]["MetricTransformations"]
        assert counted["DefaultValue"] == 0


def test_the_reader_which_shifts_no_traffic_has_no_advice_about_gradual_deployments(alarms: Alarms) -> None:
    said = {name: "gradual" in alarm["AlarmDescription"] for name, alarm in alarms.items() if "FailuresAlarm" in name}
    assert {name for name, does in said.items() if not does} == {"ReaderFailuresAlarm", "DependencyFailuresAlarm"}
    assert len(said) == len(STAGES) + 2


def test_each_alarm_says_what_it_means_and_what_to_do(alarms: Alarms) -> None:
    for name, alarm in alarms.items():
        sentences = [sentence for sentence in alarm["AlarmDescription"].split(". ") if sentence]
        assert len(sentences) >= 2, name
        assert len(alarm["AlarmDescription"]) <= 1024, name


def test_each_alarm_goes_on_and_back_to_ok_and_silence_is_no_failure(alarms: Alarms) -> None:
    for name, alarm in alarms.items():
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmActions"] == alarm["OKActions"], name
        assert len(alarm["AlarmActions"]) == 2, name


def test_each_alarm_is_named_for_its_environment(alarms: Alarms) -> None:
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in alarms.values()]
    assert len(set(names)) == len(alarms)
    assert all(name.endswith("-${EnvironmentSuffix}") for name in names)
    assert f"{NAME}-dlq-messages-${{EnvironmentSuffix}}" in names


@pytest.mark.parametrize(("name", "period", "periods"), [("DeadLetterAlarm", 60, 1), ("DeadLettersHeldAlarm", 300, 6)])
def test_a_letter_raises_the_alarm_at_once_and_one_that_is_held_after_half_an_hour(
    alarms: Alarms, name: str, period: int, periods: int
) -> None:
    alarm = alarms[name]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 1)
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (period, periods)
    assert "DatapointsToAlarm" not in alarm


def test_letters_that_stay_raise_the_alarm_after_a_week_which_is_well_before_they_are_deleted(
    alarms: Alarms, template: dict[str, Any]
) -> None:
    kept = template["Resources"]["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"]
    alarm = alarms["DeadLetterAgeAlarm"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == kept / 2
    assert 0 < alarm["Period"] * (alarm["EvaluationPeriods"] - alarm["DatapointsToAlarm"]) <= 12 * 3600


def test_a_slow_function_raises_the_alarm_at_80_percent_of_its_timeout(
    alarms: Alarms, template: dict[str, Any]
) -> None:
    for stage in STAGES:
        alarm = alarms[f"{stage}DurationAlarm"]
        timeout = template["Resources"][f"{stage}Function"]["Properties"]["Timeout"] * 1000
        assert (alarm["ExtendedStatistic"], alarm["Threshold"]) == ("p99", timeout * 0.8)


def test_an_event_that_waited_an_hour_raises_the_alarm_in_time(alarms: Alarms, template: dict[str, Any]) -> None:
    for stage in STAGES:
        function = template["Resources"][f"{stage}Function"]["Properties"]
        event_age = function["EventInvokeConfig"]["MaximumEventAgeInSeconds"]
        alarm = alarms[f"{stage}EventAgeAlarm"]
        assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 3_600_000)
        assert event_age * 1000 - alarm["Threshold"] == 5 * 3_600_000


@pytest.mark.parametrize("kind", ["Failures", "LostResults", "LostLetters"])
def test_one_failure_and_one_loss_raise_the_alarm_for_five_minutes(alarms: Alarms, kind: str) -> None:
    watched = [alarm for name, alarm in alarms.items() if name.endswith(f"{kind}Alarm")]
    assert len(watched) >= len(STAGES) - 1
    for alarm in watched:
        assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (60, 5, 1)
