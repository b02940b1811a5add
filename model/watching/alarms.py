"""The alarms: what each means and what to do about it stands in its description."""

from typing import Any, NamedTuple

from troposphere import AWSHelperFn, GetAtt, Join, Ref, StackName
from troposphere.cloudwatch import Alarm, Metric, MetricDataQuery, MetricDimension, MetricStat
from troposphere.dynamodb import Table
from troposphere.events import Rule
from troposphere.logs import LogGroup, MetricFilter
from troposphere.sqs import Queue

from model import parameters

from ..conditions import IS_WATCHED
from ..stages import sam
from ..stages.capacity import Provisioned
from ..stages.stage import LONGEST, Stage
from . import counting, notifications

MINUTE = 60  # seconds
HOUR = 60 * MINUTE

BATCH_OPERATION = "BatchExecuteStatement"  # by which batches are written; its metrics are not PutItem's
# A bad record now and then is every pipeline's, and one of three in a quiet hour says nothing.
REFUSED_SHARE, REFUSED_OF = 25, 100  # percent, records

# One point keeps an alarm on for five minutes, long enough to be seen by people and by a deployment.
REMEMBERED: dict[str, Any] = {"EvaluationPeriods": 5, "DatapointsToAlarm": 1}


class Watch(NamedTuple):
    """What watches a stage, in creation order, and which of its alarms undo a deployment."""

    resources: tuple[MetricFilter | Alarm, ...]
    rollbacks: tuple[Alarm, ...]


def on_stage(stage: Stage, function: sam.Function, log_group: LogGroup, *, event_age: int, hands_on: bool) -> Watch:
    """Watch a stage: failing, throttled, slow, falling behind, losing events or results; and count its records.

    Only what a new version can break undoes a deployment, and only what is over within minutes: CodeDeploy starts no
    deployment while such an alarm is on, not even the one that mends the cause. Lambda gives an event up after
    `event_age` seconds.
    """
    failures = counting.failures(stage, log_group)
    counted = [failures, counting.dependency_failures(stage, log_group)]
    others = [_on_throttles(stage.name, function)]
    if stage.timeout < LONGEST:  # a function that is given all of Lambda's time may use it
        others.append(_on_duration(stage.name, function, stage.timeout))
    if not stage.polled:
        counted += counting.records(stage, log_group, stores=not hands_on)
        others += [_on_event_age(stage.name, function, event_age), _on_lost_letters(stage.name, function)]
    rollbacks = (_on_failures(stage, failures), *([_on_lost_results(stage.name, function)] if hands_on else []))
    return Watch((*counted, *rollbacks, *others), rollbacks)


def on_dead_letters(queue: Queue) -> tuple[Alarm, ...]:
    """Watch the dead-letter queue: the first letter, letters that somebody holds, and letters that stay for a week.

    Depth is two metrics, of letters that can be received and of those that somebody has received and not yet deleted.
    No metric gives a letter's age: ApproximateAgeOfOldestMessage leaves out what was received three times, so that
    looking at a letter ends the alarm. So a queue that does not get empty is what tells of old letters. An average over
    a period would hide and delay a short queue.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    visible, held = (
        _metric("AWS/SQS", f"ApproximateNumberOfMessages{state}", "Maximum", QueueName=GetAtt(queue, "QueueName"))
        for state in ("Visible", "NotVisible")
    )
    return (
        _alarm(
            "dlq-messages",
            "A function failed for good on at least one event, which now waits in the dead-letter queue. Read its "
            "error, mend the cause, and send it again within 14 days.",
            visible,
            Condition=None,
            title="DeadLetterAlarm",
        ),
        _alarm(
            "dlq-held",
            "For half an hour somebody has held dead letters, received but not deleted, and dlq-messages does not see "
            "them. Find out who: a redrive that is at work, a console that polls, a consumer that does not belong "
            "there. The letters come back when their visibility timeout ends.",
            held,
            Period=5 * MINUTE,
            EvaluationPeriods=6,
            title="DeadLettersHeldAlarm",
        ),
        _alarm(
            "dlq-age",
            "Dead letters have waited for a week; SQS deletes each after 14 days. Send them again, or keep them "
            "elsewhere, now. The alarm ends within nine hours after the queue is empty.",
            visible,
            Period=HOUR,
            # Seven days, the longest that CloudWatch looks back, but for hours in which all letters were held:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
            EvaluationPeriods=7 * 24,
            DatapointsToAlarm=7 * 24 - 8,
            title="DeadLetterAgeAlarm",
        ),
    )


def on_table(table: Table) -> tuple[Alarm, ...]:
    """Watch the table: writes that it throttles, and failures of DynamoDB itself."""
    return (
        _alarm(
            "table-throttles",
            "DynamoDB has throttled writes for five minutes. The processor retries them; what still fails becomes a "
            "dead letter. Look for a single id that gets all the writes, and at the account's table quota.",
            _metric("AWS/DynamoDB", "WriteThrottleEvents", TableName=Ref(table)),
            EvaluationPeriods=5,
        ),
        *(
            _alarm(
                f"{name}-errors",
                f"DynamoDB itself fails on {what}. The processor retries them; what still fails becomes a dead letter. "
                "Look at AWS's health dashboard, and send the dead letters again when it is over.",
                _metric("AWS/DynamoDB", "SystemErrors", TableName=Ref(table), Operation=operation),
                EvaluationPeriods=3,
            )
            for name, operation, what in (
                ("table", "PutItem", "writes"),
                ("table-batch", BATCH_OPERATION, "writes of batches"),
            )
        ),
    )


def on_dependencies() -> Alarm:
    """Watch for events that failed because a service was down or throttled. No version is at fault."""
    return _alarm(
        "dependency-failures",
        "DynamoDB, SQS or another service throttled a function or did not answer, for longer than the function repeats "
        "its requests. No version is at fault, and nothing is rolled back. Events are tried again, then become dead "
        "letters. Look at table-throttles, table-errors and AWS's health dashboard, and lower the rate; send the dead "
        "letters again when it is over.",
        _metric(StackName, counting.DEPENDENCY),
        **REMEMBERED,
    )


def on_refusals(entry: Stage) -> Alarm:
    """Watch the share of records that the first stage refuses, by metric math without FILL.

    Both counts have points wherever the stage logs anything, since their filters count zeros.
    """
    counted = {
        name: Metric(Namespace=StackName, MetricName=f"{entry.title}{name.capitalize()}")
        for name in ("refused", "accepted")
    }
    counts = [
        MetricDataQuery(Id=name, ReturnData=False, MetricStat=MetricStat(Metric=metric, Period=HOUR, Stat="Sum"))
        for name, metric in counted.items()
    ]
    total = " + ".join(counted)
    share = f"IF({total} >= {REFUSED_OF}, 100 * refused / ({total}), 0)"
    return _alarm(
        "refused-records",
        f"The {entry.name} refused {REFUSED_SHARE} % or more of at least {REFUSED_OF} records in an hour. Read why in "
        "the logs query on the dashboard, and tell the producer, who has to send them again.",
        {"Metrics": [MetricDataQuery(Id="share", Label="refused, %", Expression=share), *counts]},
        Threshold=REFUSED_SHARE,
    )


def on_files(rule: Rule, queue: Queue) -> tuple[Alarm, ...]:
    """Watch for files that neither reached the queue of files nor became a dead letter, and for files that wait."""
    return (
        _alarm(
            "files-lost",
            "EventBridge could put a file's event neither into the queue of files nor into the dead-letter queue. Look "
            "at whether the queues are there and their key may be used by events.amazonaws.com; then upload the files "
            "of that time again: those without a receipt.",
            _metric("AWS/Events", "InvocationsFailedToBeSentToDlq", RuleName=Ref(rule)),
            **REMEMBERED,
        ),
        _alarm(
            "files-waiting",
            "For a day files have waited for the reader; SQS deletes each after 14 days. Look at whether the reader's "
            "event source mapping is enabled, whether the reader fails or is throttled, and how much there is to read.",
            _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=GetAtt(queue, "QueueName")),
            Period=HOUR,
            EvaluationPeriods=24,
        ),
    )


def on_provisioned_concurrency(name: str, function: sam.Function, provisioned: Provisioned) -> Alarm:
    """Watch for invocations that find no warm instance."""
    return _alarm(
        f"{name}-spillover",
        f"For five minutes the {name} has had more work than warm instances, so some records wait for a cold start. "
        f"Nothing is lost. If it goes on, raise {provisioned.minimum.title} or its maximum.",
        _of_alias(function, "ProvisionedConcurrencySpilloverInvocations"),
        Condition=provisioned.is_watched,
        EvaluationPeriods=5,
    )


def _on_failures(stage: Stage, counted: MetricFilter) -> Alarm:
    (failures,) = counted.MetricTransformations
    further = (
        "if it began with a deployment, roll that back. While this alarm is on no gradual deployment starts: deploy "
        "what mends it with GradualDeployment=false."
        if stage.gradual
        else "if it began with a deployment, deploy the version before."
    )
    return _alarm(
        f"{stage.name}-failures",
        f"The {stage.name} failed in the last five minutes: an error of its own, a timeout, too little memory, or a "
        "start that failed; refused records and faults of other services do not count. What failed is tried again, "
        f"then becomes a dead letter. Read the error in the logs query on the dashboard; {further}",
        _metric(failures.MetricNamespace, failures.MetricName),
        **REMEMBERED,
    )


def _on_lost_results(name: str, function: sam.Function) -> Alarm:
    return _alarm(
        f"{name}-lost-results",
        f"Lambda could not hand on a result of the {name}, and the next stage will never see it. Look at whether its "
        "role may invoke the next stage's alias, and whether that alias is there; then send the records of that time "
        "again, which stores none twice.",
        _metric("AWS/Lambda", "DestinationDeliveryFailures", FunctionName=Ref(function)),
        **REMEMBERED,
    )


def _on_throttles(name: str, function: sam.Function) -> Alarm:
    return _alarm(
        f"{name}-throttles",
        f"Lambda has refused the {name} an instance for five minutes. Its events wait, and those that wait too long "
        "become dead letters. Compare the concurrency with the account's quota and ReservedConcurrency; raise either.",
        _of_alias(function, "Throttles"),
        EvaluationPeriods=5,
    )


def _on_duration(name: str, function: sam.Function, timeout: int) -> Alarm:
    return _alarm(
        f"{name}-duration",
        f"The slowest runs of the {name} come near its timeout of {timeout} s, at which they fail. Look at what "
        "it waits for: DynamoDB's latency is on the dashboard, since a trace ends at the function. Look at the size of "
        "the records, too.",
        _of_alias(function, "Duration"),
        Statistic=None,
        ExtendedStatistic="p99",
        EvaluationPeriods=3,
        Threshold=timeout * 1000 * 4 // 5,  # ms
    )


def _on_event_age(name: str, function: sam.Function, event_age: int) -> Alarm:
    """Warn of a growing queue, from which Lambda may drop events, before events in it get too old.

    AsyncEventsDropped would come too late, and it counts the events that became dead letters as well:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    return _alarm(
        f"{name}-event-age",
        f"Events have waited an hour for the {name}. After {event_age // HOUR} hours they become dead letters, and "
        "Lambda may drop events from a queue that only grows. Look for throttles and for failures that are retried; "
        "raise the concurrency, or have the producer send more slowly.",
        _metric("AWS/Lambda", "AsyncEventAge", "Maximum", FunctionName=Ref(function)),
        Threshold=HOUR * 1000,  # ms
        **REMEMBERED,
    )


def _on_lost_letters(name: str, function: sam.Function) -> Alarm:
    """Watch letters that did not arrive; no rollback, since a record that is too large for a letter is no version's."""
    return _alarm(
        f"{name}-lost-letters",
        f"Lambda could not send a failed event of the {name} to the dead-letter queue, and the event is gone. Look at "
        "whether its role may send to the queue and use its key, whether the queue is there, and for events of nearly "
        "1 MB; then send the records of that time again, which stores none twice.",
        _metric("AWS/Lambda", "DeadLetterErrors", FunctionName=Ref(function)),
        **REMEMBERED,
    )


def _of_alias(function: sam.Function, metric: str) -> dict[str, Any]:
    """Name a metric of the alias, not of all versions; CloudWatch's dimension `Resource` names it as function:alias."""
    resource = Join(":", [Ref(function), function.AutoPublishAlias])
    return _metric("AWS/Lambda", metric, FunctionName=Ref(function), Resource=resource)


def _metric(
    namespace: AWSHelperFn | str, name: str, statistic: str = "Sum", **dimensions: AWSHelperFn | str
) -> dict[str, Any]:
    listed = [MetricDimension(Name=key, Value=value) for key, value in dimensions.items()]
    measured = {"Dimensions": listed} if listed else {}
    return {"Namespace": namespace, "MetricName": name, **measured, "Statistic": statistic, "Period": MINUTE}


def _alarm(name: str, description: str, metric: dict[str, Any], *, title: str = "", **settings: Any) -> Alarm:
    """Make an alarm of the usual shape: at least 1 in a minute; silence is no failure; on, and back to OK.

    Without a title, `validator-event-age` is ValidatorEventAgeAlarm. The alarm watches one metric, without metric math:
    FILL can pin the newest point to what it fills in.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    usual = {"Condition": IS_WATCHED, **metric, "EvaluationPeriods": 1, "Threshold": 1}
    return Alarm(
        title or "".join(word.capitalize() for word in [*name.split("-"), "alarm"]),
        AlarmName=parameters.suffixed(name),
        AlarmDescription=description,
        **{key: value for key, value in {**usual, **settings}.items() if value is not None},
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=notifications.actions(),
        OKActions=notifications.actions(),
    )
