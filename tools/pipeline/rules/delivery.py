"""Events on their way: retried as somebody decided, and sent on by a role that may."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .iam import allowed_to, given, permits
from .reading import Function, Resource, Template, described
from .rule import Fault, Rule
from .values import refers_to, shown, text

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


class UndecidedRetries(Rule):
    """Nobody decided how often and how long Lambda tries a function again."""

    id = "E9191"
    shortdesc = "A Lambda function has no retry settings"
    description = "How often a failure is tried again, and how long an event may wait, depend on what the function does"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html"
    tags = ["lambda", "reliability"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return template.functions

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for both settings, in every case."""
        for name in RETRIES:
            if not all({*form} - {"DeadLetterConfig"} for form in subject.on_event(name)):
                yield Fault(
                    ["Resources", subject.id], f"{subject.id} should set {name} in an EventInvokeConfig (got none)"
                )


class Delivery(NamedTuple):
    """Something that Lambda sends on in a function's name."""

    function: Function
    purpose: str
    target: Any


class ForbiddenDelivery(Rule):
    """A function's role may not send to its dead-letter queue or destination, and Lambda drops what it can't send."""

    id = "E9192"
    shortdesc = "A Lambda function may not send to its dead-letter queue or destination"
    description = "Lambda sends as the execution role: without the right the event is lost, and only a metric tells"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    tags = ["lambda", "iam", "reliability"]

    def subjects(self, template: Template) -> list[Delivery]:
        """List the deliveries to resources of the template."""
        return [
            delivery
            for function in template.functions
            for delivery in _deliveries(function)
            if _sending(delivery, template)
        ]

    def faults(self, subject: Delivery, template: Template) -> Iterator[Fault]:
        """Look for what the role is allowed on the target."""
        action = _sending(subject, template)
        target = described(refers_to(subject.target) or "", template)
        for role in subject.function.roles:
            allowed = allowed_to(template, role)
            if allowed is not None and not any(permits(s, action, subject.target) for s in allowed):
                yield Fault(
                    subject.function.resource.at("Role"),
                    f"{role} should allow {action} on {target}, the {subject.purpose} of {subject.function.id} "
                    f"(got {given(allowed, subject.target)})",
                )


class UnreachedSettings(Rule):
    """Retries and destinations are set for a qualifier that nobody calls."""

    id = "E9193"
    shortdesc = "Retry settings and destinations are not those of the alias"
    description = "A caller gets the settings of the qualifier it calls: those of $LATEST do not apply to an alias"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html"
    tags = ["lambda", "reliability"]

    def subjects(self, template: Template) -> list[tuple[Function, Resource]]:
        """List the settings of the functions that have an alias."""
        return [
            (function, config)
            for function in template.functions
            if function.aliases
            for config in function.event_invoke_configs
        ]

    def faults(self, subject: tuple[Function, Resource], template: Template) -> Iterator[Fault]:
        """Compare the qualifier with the aliases."""
        function, config = subject
        aliases = sorted({text(name) for alias in function.aliases for name in alias.find("Name", by_name=True)})
        for qualifier in config.find("Qualifier", by_name=True):
            if text(qualifier) not in aliases:
                yield Fault(
                    config.at("Qualifier"),
                    f"{config.id} should have the Qualifier {' or '.join(aliases)}, an alias of {function.id} "
                    f"(got {shown(qualifier)})",
                )


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
