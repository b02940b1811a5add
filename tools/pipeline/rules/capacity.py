"""Capacity: memory and time of a function, throughput of a table."""

from collections.abc import Iterator

from .reading import Function, Path, Resource, Template
from .rule import Demand, Fault, Rule
from .values import Given, mentioned, refers_to

# What Lambda takes if nobody says: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
DEFAULTS = {"MemorySize": "128 MB", "Timeout": "3 s"}
DIMENSIONS = {"dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits"}


class MemoryParameter(Rule):
    """A parameter or a mapping lets a function have more memory than it needs: the custom rules see literals only."""

    id = "W9111"
    shortdesc = "A parameter offers a Lambda function more memory than it needs"
    description = "Memory is paid for by the millisecond; raise the limit in .cfnlintrc when a measurement asks for it"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    tags = ["lambda", "cost"]
    settings = {"maximum_memory": 1024}  # MB, as in custom_rules.txt

    def subjects(self, template: Template) -> list[tuple[Function, Given]]:
        """List the functions whose memory is not literal, with each size that it can have."""
        return [
            (function, size)
            for function in template.functions
            for size in function.resource.find("MemorySize")
            if isinstance(size, Given)
        ]

    def faults(self, subject: tuple[Function, Given], template: Template) -> Iterator[Fault]:
        """Compare what is offered with the limit."""
        function, size = subject
        limit = self.config["maximum_memory"]
        if size.isdecimal() and int(size) > limit:
            offered: Path = ["Parameters" if size.source in template.parameters else "Mappings", size.source]
            yield Fault(
                offered,
                f"memory of {function.id} should be at most {limit} MB (got {size}, which {size.source} offers)",
            )


class UndecidedSize(Rule):
    """Nobody decided how much memory a function has, or how long it may run."""

    id = "W9322"
    shortdesc = "A Lambda function has AWS's default memory or timeout"
    description = "Lambda's 128 MB make most functions slow, and its 3 s end them at the first slow call: decide both"
    source_url = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"
    tags = ["lambda", "performance", "reliability"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions, with what Globals give them."""
        return template.functions

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for both sizes."""
        for name, default in DEFAULTS.items():
            if None in subject.resource.possible(name):
                yield Fault(["Resources", subject.id], f"{subject.id} should set {name} (got none, which is {default})")


class UndecidedTracing(Demand):
    """Nobody decided whether a function is traced."""

    id = "E9009"
    shortdesc = "A function should set TracingConfig.Mode"
    description = "Without traces, nobody sees which of several functions made an event late"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
    tags = ["lambda", "operations"]
    resource_type = "AWS::Lambda::Function"
    demanded = "TracingConfig.Mode"


class Untraced(UndecidedTracing):
    """A function is traced only if its caller is."""

    id = "E9008"
    shortdesc = "TracingConfig.Mode of a function should be Active"
    description = "PassThrough traces what the caller samples, which for most event sources is nothing"
    wanted = "Active"


class FixedCapacity(Rule):
    """A table has provisioned capacity that nothing scales."""

    id = "W9131"
    shortdesc = "A DynamoDB table has fixed capacity"
    description = "Fixed capacity is paid for when idle and throttles when busy; bill per request, or scale it"
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html"
    tags = ["dynamodb", "cost", "reliability"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the tables."""
        return template.of_type("AWS::DynamoDB::Table")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Compare the dimensions that are scaled with those that are provisioned."""
        modes = subject.possible("BillingMode")
        if not {None, "PROVISIONED"}.intersection(mode for mode in modes if not isinstance(mode, dict)):
            return
        missing = sorted(DIMENSIONS - _scaled(subject.id, template))
        if missing:
            billing = "BillingMode PROVISIONED" if "PROVISIONED" in modes else "no BillingMode, which is PROVISIONED"
            yield Fault(
                ["Resources", subject.id, "Properties", "BillingMode"],
                f"{subject.id} should be billed PAY_PER_REQUEST or scale its capacity (got {billing}, and no "
                f"scaling policy for {' and '.join(missing)})",
            )


def _scaled(table: str, template: Template) -> set[str]:
    """Give the dimensions of a table that have both a scalable target and a policy that moves it."""
    policies = template.of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
    moved = {refers_to(target) for policy in policies for target in policy.find("ScalingTargetId")}
    return {
        str(dimension)
        for target in template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
        for dimension in target.find("ScalableDimension")
        if target.id in moved and table in mentioned(target.properties.get("ResourceId"))
    }
