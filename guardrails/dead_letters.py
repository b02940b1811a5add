"""Events that a function fails on for good: kept long enough, watched, and reported at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from .alarms import alarms_on
from .reading import Function, Resource, Template, find, functions, mentioned, text
from .rule import Fault, Rule

DEPTH = "ApproximateNumberOfMessagesVisible"
# The properties that name where messages go that could not be delivered, of whatever resource.
TARGETS = ("DeadLetterConfig", "OnFailure", "RedrivePolicy")
DAY = 24 * 60 * 60  # seconds
DEFAULT_RETENTION = 4 * DAY  # seconds
FIRST_LETTER = {("GreaterThanOrEqualToThreshold", "1"), ("GreaterThanThreshold", "0")}


def dead_letter_queues(template: Template) -> list[Resource]:
    """List the queues that something in the template sends to what it could not deliver."""
    named = set().union(*(_undelivered_to(resource.properties) for resource in template.resources.values()))
    return [queue for queue in template.of_type("AWS::SQS::Queue") if queue.id in named]


class NoDeadLetters(Rule):
    """A function loses the events that it fails on for good."""

    id = "E9141"
    shortdesc = "A Lambda function has no dead-letter queue"
    description = "Without a dead-letter target or a failure destination, Lambda drops an event after its last retry"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    tags = ["lambda", "reliability"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return functions(template)

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for a dead-letter target and for a failure destination."""
        targets = find(subject.properties, "DeadLetterConfig", "TargetArn")
        for config in subject.event_invoke_configs:
            targets += find(config.properties, "DestinationConfig", "OnFailure", "Destination")
        if not targets:
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should have a dead-letter queue or a failure destination (got neither)",
            )


class UnwatchedDeadLetters(Rule):
    """A dead-letter queue fills and nobody is told."""

    id = "E9142"
    shortdesc = "A dead-letter queue has no alarm"
    description = "A letter that nobody knows of is lost when the queue's retention ends"
    source_url = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html"
    tags = ["sqs", "cloudwatch", "operations"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the dead-letter queues."""
        return dead_letter_queues(template)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for an alarm on the queue's depth."""
        if not alarms_on(template, DEPTH, subject.id):
            yield Fault(
                ["Resources", subject.id],
                f"dead-letter queue {subject.id} should have an alarm on {DEPTH} whose dimension QueueName is its "
                "GetAtt QueueName (got none)",
            )


class SlowDeadLetterAlarm(Rule):
    """The alarm of a dead-letter queue averages a letter away, or waits for more of them."""

    id = "W9143"
    shortdesc = "The alarm of a dead-letter queue hides or delays the first letter"
    description = "One letter is one lost event: alarm on a maximum of 1, in the first period that has it"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"
    tags = ["sqs", "cloudwatch", "operations"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the dead-letter queues."""
        return dead_letter_queues(template)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for one alarm on the queue's depth that a first letter sets off; more of them may be slower."""
        slow = [list(_slowness(alarm)) for alarm in alarms_on(template, DEPTH, subject.id)]
        if all(slow):
            yield from (fault for faults in slow for fault in faults)


class ShortRetention(Rule):
    """A dead-letter queue drops its letters before somebody had time to look."""

    id = "E9144"
    shortdesc = "A dead-letter queue keeps its letters for too short a time"
    description = "SQS keeps messages for 4 days unless told otherwise, which is one long weekend"
    source_url = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html"
    tags = ["sqs", "reliability"]
    settings = {"minimum_days": 14}

    def subjects(self, template: Template) -> list[Resource]:
        """List the dead-letter queues."""
        return dead_letter_queues(template)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Compare the retention with the limit."""
        for seconds in find(subject.properties, "MessageRetentionPeriod") or [DEFAULT_RETENTION]:
            if str(seconds).isdecimal() and int(seconds) < self.config["minimum_days"] * DAY:
                yield Fault(
                    ["Resources", subject.id, "Properties", "MessageRetentionPeriod"],
                    f"dead-letter queue {subject.id} should keep its letters for {self.config['minimum_days']} days "
                    f"(got {int(seconds) / DAY:g})",
                )


def _undelivered_to(value: Any) -> set[str]:
    """Give the logical ids that the properties for undeliverable messages mention, however deep these are."""
    match value:
        case Mapping():
            found = [mentioned(inner) if key in TARGETS else _undelivered_to(inner) for key, inner in value.items()]
        case list():
            found = [_undelivered_to(inner) for inner in value]
        case _:
            return set()
    return set().union(*found)


def _slowness(alarm: Resource) -> Iterator[Fault]:
    """Compare what decides when an alarm goes off with what takes one letter."""
    statistic, periods, bound = (
        text(alarm.properties.get("Statistic")),
        text(alarm.properties.get("DatapointsToAlarm", alarm.properties.get("EvaluationPeriods"))),
        (text(alarm.properties.get("ComparisonOperator")), text(alarm.properties.get("Threshold"))),
    )
    if statistic != "Maximum":
        yield _slow(alarm, "Statistic", "be a maximum", statistic)
    if periods != "1":
        yield _slow(alarm, "EvaluationPeriods", "go off in the first period", f"{periods} periods")
    if bound not in FIRST_LETTER:
        yield _slow(alarm, "Threshold", "go off at 1 letter", " ".join(bound))


def _slow(alarm: Resource, name: str, expected: str, got: str) -> Fault:
    return Fault(["Resources", alarm.id, "Properties", name], f"alarm {alarm.id} should {expected} (got {got})")
