"""The alarms: what wakes somebody."""

from troposphere import GetAtt
from troposphere.cloudwatch import Alarm, MetricDimension
from troposphere.sqs import Queue

from . import parameters


def dead_letter_alarm(queue: Queue) -> Alarm:
    """Alarm on the first dead letter.

    The maximum, since the average over a period hides and delays a short queue. A queue that is idle stops
    reporting, which is no failure.
    """
    return Alarm(
        "DeadLetterAlarm",
        AlarmName=parameters.suffixed("dlq-messages"),
        AlarmDescription=(
            "A function failed for good on at least one event, which now waits in the dead-letter queue. "
            "Read its error, mend the cause, and send it again within 14 days."
        ),
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[MetricDimension(Name="QueueName", Value=GetAtt(queue, "QueueName"))],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Threshold=1,
        TreatMissingData="notBreaching",
    )
