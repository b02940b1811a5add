"""Events that a function fails on for good: kept long enough, watched, and reported at once."""

from collections.abc import Iterator
from typing import Any

from .alarms import Metric, metrics, watching
from .reading import Fault, Function, Resource, Template, find
from .rule import AsynchronousFunctionRule, Rule
from .values import mentioned, refers_to, shown, walk

DEPTH = "ApproximateNumberOfMessagesVisible"
ARRIVED = "NumberOfMessagesSent"
# The properties, of any resource, that name where messages go that could not be delivered.
TARGETS = ("DeadLetterConfig", "OnFailure", "RedrivePolicy")
DAY = 24 * 60 * 60  # seconds
DEFAULT_RETENTION = 4 * DAY  # seconds
FIRST_LETTER = {("GreaterThanOrEqualToThreshold", "1"), ("GreaterThanThreshold", "0")}


def dead_letter_queues(template: Template) -> list[Resource]:
    """List the queues to which something in the template sends what it could not deliver."""
    written = [found for resource in template.resources.values() for found in walk(resource.properties)]
    named = set().union(*(mentioned(value) for path, value in written if path and path[-1] in TARGETS))
    return [queue for queue in template.of_type("AWS::SQS::Queue") if queue.id in named]


class NoDeadLetters(AsynchronousFunctionRule):
    """Without a dead-letter target or a failure destination, Lambda drops an event after its last retry."""

    id = "E9141"
    shortdesc = "A Lambda function has no dead-letter queue"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        if not all(_targets(subject)):
            yield subject.resource.should("have a dead-letter queue or a failure destination", "neither")


class _DeadLetterQueueRule(Rule):
    def subjects(self, template: Template) -> list[Resource]:
        return dead_letter_queues(template)


class UnwatchedDeadLetters(_DeadLetterQueueRule):
    """A letter that nobody knows of is lost when the queue's retention ends."""

    id = "E9142"
    shortdesc = "A dead-letter queue has no alarm"
    source_url = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html"

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        if not watching(template, DEPTH, subject.id):
            expected = f"have an alarm on {DEPTH}, with the dimension QueueName by !GetAtt {subject.id}.QueueName"
            yield subject.should(expected, None, kind="dead-letter queue ")


class SlowDeadLetterAlarm(Rule):
    """One letter is one lost event: alarm on a maximum of 1, in the first period that has it."""

    id = "W9143"
    shortdesc = "The alarm of a dead-letter queue hides or delays the first letter"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"

    def subjects(self, template: Template) -> list[list[Metric]]:
        watchers = [watching(template, DEPTH, queue.id) for queue in dead_letter_queues(template)]
        return [found for found in watchers if found]

    def faults(self, subject: list[Metric], template: Template) -> Iterator[Fault]:
        slow = [[*_delays(metric)] for metric in subject]
        if all(slow):
            yield from (fault for faults in slow for fault in faults)


class ShortRetention(_DeadLetterQueueRule):
    """SQS keeps messages for 4 days unless told otherwise, which is one long weekend."""

    id = "E9144"
    shortdesc = "A dead-letter queue keeps its letters for too short a time"
    source_url = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html"
    settings = {"minimum_days": 14}

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        least = self.config["minimum_days"]
        for given in subject.possible("MessageRetentionPeriod"):
            seconds = DEFAULT_RETENTION if given is None else given
            if str(seconds).isdecimal() and int(seconds) < least * DAY:
                got = f"{int(seconds) / DAY:g} days"
                got = f"no MessageRetentionPeriod, which is {got}" if given is None else got
                expected = f"keep its letters for at least {least} days"
                yield subject.should(expected, got, "MessageRetentionPeriod", kind="dead-letter queue ")


class MisreadMetric(Rule):
    """AsyncEventsDropped counts letters that arrived, too; the age of the oldest message leaves old ones out.

    ApproximateAgeOfOldestMessage leaves out letters that were received three times, such as those that somebody has
    looked at; of a queue with a consumer it may be watched.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """

    id = "E9145"
    shortdesc = "An alarm on dead letters watches a metric that counts something else"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"

    def subjects(self, template: Template) -> list[Metric]:
        sending = [function.id for function in template.functions if any(_targets(function))]
        known = {*sending, *(queue.id for queue in dead_letter_queues(template))}
        dimensions = ("FunctionName", "QueueName")
        return [m for m in metrics(template) if known.intersection(refers_to(m.dimensions.get(d)) for d in dimensions)]

    def faults(self, subject: Metric, template: Template) -> Iterator[Fault]:
        beside = {metric.name for metric in metrics(template) if metric.alarm.id == subject.alarm.id}
        if subject.name == "AsyncEventsDropped" and ARRIVED not in beside:
            expected = f"watch DeadLetterErrors, or what goes beyond {ARRIVED} of the queue"
            yield subject.alarm.should(expected, subject.name, "MetricName", kind="alarm ")
        if subject.name == "ApproximateAgeOfOldestMessage":
            yield subject.alarm.should(f"watch {DEPTH} over days", subject.name, "MetricName", kind="alarm ")


def _targets(function: Function) -> list[list[Any]]:
    """List where a function's failed events are sent, in every form that the template can take."""
    return [
        [
            *find(form, "DeadLetterConfig", "TargetArn"),
            *(target for config in form.values() for target in find(config, "OnFailure", "Destination")),
        ]
        for form in function.on_event("DestinationConfig")
    ]


def _delays(metric: Metric) -> Iterator[Fault]:
    """Compare what decides when an alarm goes off with what takes one letter."""
    (alarm, *_) = metric.alarm.forms("DatapointsToAlarm", "EvaluationPeriods", "ComparisonOperator", "Threshold")
    periods = shown(alarm.get("DatapointsToAlarm", alarm.get("EvaluationPeriods")))
    bound = shown(alarm.get("ComparisonOperator")), shown(alarm.get("Threshold"))
    if metric.statistic != "Maximum":
        yield metric.alarm.should("have the Statistic Maximum", metric.statistic, "Statistic", kind="alarm ")
    if periods != "1":
        yield metric.alarm.should("go off after 1 period", periods, "EvaluationPeriods", kind="alarm ")
    if bound not in FIRST_LETTER:
        yield metric.alarm.should("go off at 1 letter", " ".join(bound), "Threshold", kind="alarm ")
