from typing import Any

from .translation import of_type


def test_one_dead_letter_raises_the_alarm_at_once(template: dict[str, Any]) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["DeadLetterAlarm"]
    assert alarm["AlarmName"] == {"Fn::Sub": "dlq-messages-${EnvironmentSuffix}"}
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}}]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "GreaterThanOrEqualToThreshold",
        1,
    )
    assert alarm["EvaluationPeriods"] == 1


def test_an_idle_queue_that_stops_reporting_raises_none(template: dict[str, Any]) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["DeadLetterAlarm"]
    assert alarm["TreatMissingData"] == "notBreaching"
