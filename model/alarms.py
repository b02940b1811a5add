"""The alarms: what each means and what to do about it stands in its description."""

from typing import Any

from troposphere import AWSHelperFn, GetAtt, Join, Ref
from troposphere.cloudwatch import Alarm, Metric, MetricDataQuery, MetricDimension, MetricStat
from troposphere.dynamodb import Table
from troposphere.sqs import Queue

from . import notifications, parameters, sam
from .capacity import Provisioned
from .conditions import IS_WATCHED

MINUTE = 60  # seconds
DAY = 24 * 60 * MINUTE

# Lambda's counts of events that are in no queue any more, and of results that never reached the next stage:
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
LOSSES = ("DeadLetterErrors", "DestinationDeliveryFailures", "AsyncEventsDropped")


def on_stage(name: str, function: sam.Function, *, timeout: int) -> tuple[Alarm, ...]:
    """Watch a function's alias: failing, slow, throttled, losing events.

    Args:
        name: Lower-case name of the stage.
        function: The stage's function.
        timeout: Its timeout in seconds.
    """
    return (
        _of_alias(
            name,
            function,
            "Errors",
            f"The {name} failed in two of three minutes. Failed events are retried, then become dead letters. Read "
            "its log for the error; where it began with a deployment, roll that back.",
            periods=3,
            breaching=2,
        ),
        _of_alias(
            name,
            function,
            "Throttles",
            f"Lambda has refused the {name} an instance for five minutes. Events wait up to six hours, then become "
            "dead letters. Compare the concurrency with the account's quota and ReservedConcurrency; raise either.",
            periods=5,
        ),
        _of_alias(
            name,
            function,
            "Duration",
            f"The slowest runs of the {name} come near its timeout of {timeout} s, at which they fail. Look at what "
            "it waits for in its traces; DynamoDB's latency is on the dashboard.",
            statistic="p99",
            threshold=timeout * 1000 * 4 // 5,
            periods=3,
        ),
        _losses(name, function),
    )


def on_dead_letters(queue: Queue) -> tuple[Alarm, ...]:
    """Watch the dead-letter queue: the first letter, and letters that nobody has looked at for ten days."""
    return (
        _alarm(
            "DeadLetterAlarm",
            "dlq-messages",
            "A function failed for good on at least one event, which now waits in the dead-letter queue. Read its "
            "error, mend the cause, and send it again within 14 days.",
            condition=None,
            **_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=GetAtt(queue, "QueueName")),
            # The average over a period would hide and delay a short queue.
            Statistic="Maximum",
        ),
        _alarm(
            "DeadLetterAgeAlarm",
            "dlq-age",
            "The oldest dead letter has waited for ten days; SQS deletes it after 14. Send it again, or keep it "
            "elsewhere, now.",
            **_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=GetAtt(queue, "QueueName")),
            Statistic="Maximum",
            Period=5 * MINUTE,
            Threshold=10 * DAY,
        ),
    )


def on_table(table: Table) -> tuple[Alarm, ...]:
    """Watch the table: writes that it throttles, and failures of DynamoDB itself."""
    return (
        _alarm(
            "TableThrottlesAlarm",
            "table-throttles",
            "DynamoDB has throttled writes for five minutes. The processor retries them; what still fails becomes a "
            "dead letter. Look for a single id that gets all the writes, and at the account's table quota.",
            **_metric("AWS/DynamoDB", "WriteThrottleEvents", TableName=Ref(table)),
            Statistic="Sum",
            EvaluationPeriods=5,
        ),
        _alarm(
            "TableErrorsAlarm",
            "table-errors",
            "DynamoDB itself fails on writes. The processor retries them; what still fails becomes a dead letter. "
            "Look at AWS's health dashboard, and send the dead letters again when it is over.",
            **_metric("AWS/DynamoDB", "SystemErrors", TableName=Ref(table), Operation="PutItem"),
            Statistic="Sum",
            EvaluationPeriods=3,
        ),
    )


def on_provisioned_concurrency(name: str, function: sam.Function, provisioned: Provisioned) -> Alarm:
    """Watch for invocations that find no warm instance."""
    return _of_alias(
        name,
        function,
        "ProvisionedConcurrencySpilloverInvocations",
        f"For five minutes the {name} has had more work than warm instances, so some records wait for a cold start. "
        f"Nothing is lost. If it goes on, raise {provisioned.minimum.title} or its maximum.",
        condition=provisioned.is_watched,
        kind="Spillover",
        periods=5,
    )


def _of_alias(
    name: str,
    function: sam.Function,
    metric: str,
    description: str,
    *,
    condition: str = IS_WATCHED,
    kind: str | None = None,
    statistic: str = "Sum",
    threshold: int = 1,
    periods: int,
    breaching: int | None = None,
) -> Alarm:
    """Watch a metric of the alias, which is what a deployment can be rolled back by."""
    kind = kind or metric
    by = {"Statistic": statistic} if statistic == "Sum" else {"ExtendedStatistic": statistic}
    return _alarm(
        f"{name.capitalize()}{kind}Alarm",
        f"{name}-{kind.lower()}",
        description,
        condition=condition,
        **_metric("AWS/Lambda", metric, FunctionName=Ref(function), Resource=_qualified(function)),
        **by,
        EvaluationPeriods=periods,
        DatapointsToAlarm=breaching or periods,
        Threshold=threshold,
    )


def _losses(name: str, function: sam.Function) -> Alarm:
    """Watch all that Lambda counts as lost for a function, whatever version it concerns."""
    ids = [f"lost{number}" for number in range(len(LOSSES))]
    return _alarm(
        f"{name.capitalize()}LossesAlarm",
        f"{name}-losses",
        f"Lambda has lost events or results of the {name}: they reached neither the next stage nor the dead-letter "
        "queue. Look at which of the three metrics rose, and at the role's permissions and the events' size; send the "
        "records of that time again, which stores none twice.",
        Metrics=[
            MetricDataQuery(Id="lost", Label="Lost", Expression=" + ".join(f"FILL({i}, 0)" for i in ids)),
            *(
                MetricDataQuery(
                    Id=i,
                    ReturnData=False,
                    MetricStat=MetricStat(
                        Metric=Metric(**_metric("AWS/Lambda", metric, FunctionName=Ref(function))),
                        Period=MINUTE,
                        Stat="Sum",
                    ),
                )
                for i, metric in zip(ids, LOSSES, strict=True)
            ),
        ],
    )


def _metric(namespace: str, name: str, **dimensions: AWSHelperFn | str) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [MetricDimension(Name=key, Value=value) for key, value in dimensions.items()],
    }


def _qualified(function: sam.Function) -> AWSHelperFn:
    """Name the alias as CloudWatch's dimension `Resource` does: function:alias."""
    return Join(":", [Ref(function), function.AutoPublishAlias])


def _alarm(title: str, name: str, description: str, *, condition: str | None = IS_WATCHED, **watched: Any) -> Alarm:
    """Make an alarm of the usual shape: at least 1 in a minute; silence is no failure; on, and back to OK."""
    settings: dict[str, Any] = {
        "AlarmName": parameters.suffixed(name),
        "AlarmDescription": description,
        **({} if "Metrics" in watched else {"Period": MINUTE}),
        **watched,
        "EvaluationPeriods": watched.get("EvaluationPeriods", 1),
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": watched.get("Threshold", 1),
        "TreatMissingData": "notBreaching",
        "AlarmActions": notifications.actions(),
        "OKActions": notifications.actions(),
    }
    alarm = Alarm(title, **settings)
    if condition:
        alarm.Condition = condition
    return alarm
