"""Events on their way: retried as somebody decided, and sent on by a role that may."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .iam import lacking
from .reading import Fault, Function, Resource, Template, described
from .rule import AsynchronousFunctionRule, Rule
from .values import refers_to, text

RETRIES = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
# What the execution role has to be allowed on what Lambda sends events to.
SENDING = {
    "AWS::SQS::Queue": "sqs:SendMessage",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::Lambda::Alias": "lambda:InvokeFunction",
    "AWS::Lambda::Function": "lambda:InvokeFunction",
    "AWS::Events::EventBus": "events:PutEvents",
    "AWS::S3::Bucket": "s3:PutObject",
}


class UndecidedRetries(AsynchronousFunctionRule):
    """How often a failure is tried again, and how long an event may wait, depend on what the function does."""

    id = "E9191"
    shortdesc = "A Lambda function has no retry settings"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        for name in RETRIES:
            if not all({*form} - {"DeadLetterConfig"} for form in subject.on_event(name)):
                yield subject.resource.should(f"set {name} in an EventInvokeConfig", None)


class Delivery(NamedTuple):
    """Something that Lambda sends on in a function's name."""

    function: Function
    purpose: str
    target: Any


class ForbiddenDelivery(Rule):
    """Lambda sends as the execution role: without the right the event is lost, and only a metric tells."""

    id = "E9192"
    shortdesc = "A Lambda function may not send to its dead-letter queue or destination"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"

    def subjects(self, template: Template) -> list[Delivery]:
        deliveries = [delivery for function in template.functions for delivery in _deliveries(function)]
        return [delivery for delivery in deliveries if _sending(delivery, template)]

    def faults(self, subject: Delivery, template: Template) -> Iterator[Fault]:
        action = _sending(subject, template)
        target = described(refers_to(subject.target) or "", template)
        purpose = f"the {subject.purpose} of {subject.function.id}"
        for role in subject.function.roles:
            yield from lacking(subject.function, role, [action], (target, subject.target, purpose), template)


class UnreachedSettings(Rule):
    """A caller gets the settings of the qualifier it calls: those of $LATEST do not apply to an alias."""

    id = "E9193"
    shortdesc = "Retry settings and destinations are not those of the alias"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html"

    def subjects(self, template: Template) -> list[tuple[Function, Resource]]:
        aliased = [function for function in template.functions if function.aliases]
        return [(function, config) for function in aliased for config in function.event_invoke_configs]

    def faults(self, subject: tuple[Function, Resource], template: Template) -> Iterator[Fault]:
        function, config = subject
        aliases = sorted({text(name) for alias in function.aliases for name in alias.find("Name", by_name=True)})
        for qualifier in config.find("Qualifier", by_name=True):
            if text(qualifier) not in aliases:
                expected = f"have the Qualifier {' or '.join(aliases)}, an alias of {function.id}"
                yield config.should(expected, qualifier, "Qualifier")


def _deliveries(function: Function) -> Iterator[Delivery]:
    for target in function.resource.find("DeadLetterConfig", "TargetArn", by_name=True):
        yield Delivery(function, "dead-letter queue", target)
    for config in function.event_invoke_configs:
        for outcome in ("OnSuccess", "OnFailure"):
            for target in config.find("DestinationConfig", outcome, "Destination", by_name=True):
                yield Delivery(function, f"{outcome} destination", target)


def _sending(delivery: Delivery, template: Template) -> str:
    """Name the action that delivers; empty if the target is none of the template's."""
    target = template.resources.get(refers_to(delivery.target) or "")
    return SENDING.get(target.type, "") if target else ""
