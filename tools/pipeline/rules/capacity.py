"""Capacity: memory and time of a function, throughput of a table."""

from collections.abc import Iterator

from .reading import Fault, Function, Resource, Template
from .rule import FunctionRule, Rule
from .values import Given, mentioned, refers_to

# What Lambda takes if nobody says: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
DEFAULTS = {"MemorySize": "128 MB", "Timeout": "3 s"}
DIMENSIONS = {"dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits"}


class MemoryParameter(Rule):
    """Memory is paid for by the millisecond; raise the limit in .cfnlintrc when a measurement asks for it."""

    id = "W9111"
    shortdesc = "A parameter offers a Lambda function more memory than it needs"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    settings = {"maximum_memory": 1024}  # MB, as in custom_rules.txt

    def subjects(self, template: Template) -> list[tuple[Function, Given]]:
        sizes = [(function, size) for function in template.functions for size in function.resource.find("MemorySize")]
        return [(function, size) for function, size in sizes if isinstance(size, Given)]

    def faults(self, subject: tuple[Function, Given], template: Template) -> Iterator[Fault]:
        function, size = subject
        limit = self.config["maximum_memory"]
        if size.isdecimal() and int(size) > limit:
            offered = ["Parameters" if size.source in template.parameters else "Mappings", size.source]
            got = f"(got {size}, which {size.source} offers)"
            yield Fault([*offered], f"memory of {function.id} should be at most {limit} MB {got}")


class UndecidedSize(FunctionRule):
    """Lambda's 128 MB make most functions slow, and its 3 s end them at the first slow call: decide both."""

    id = "W9322"
    shortdesc = "A Lambda function has AWS's default memory or timeout"
    source_url = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        for name, default in DEFAULTS.items():
            if None in subject.resource.possible(name):
                yield subject.resource.should(f"set {name}", f"none, which is {default}")


class FixedCapacity(Rule):
    """Fixed capacity is paid for when idle and throttles when busy; bill per request, or scale it."""

    id = "W9131"
    shortdesc = "A DynamoDB table has fixed capacity"
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html"
    looks_at = ("AWS::DynamoDB::Table",)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        modes = subject.possible("BillingMode")
        missing = sorted(DIMENSIONS - _scaled(subject.id, template))
        if missing and (None in modes or "PROVISIONED" in modes):
            billing = "BillingMode PROVISIONED" if "PROVISIONED" in modes else "no BillingMode, which is PROVISIONED"
            got = f"{billing}, and no scaling policy for {' and '.join(missing)}"
            yield subject.should("be billed PAY_PER_REQUEST or scale its capacity", got, "BillingMode")


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
