"""Capacity: memory and time of a function, throughput of a table."""

from collections.abc import Iterator

from .reading import Function, Resource, Template, find, functions, items, mentioned, refers_to, shown
from .rule import Fault, Rule

# What Lambda takes where nobody says: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
DEFAULTS = {"MemorySize": "128 MB", "Timeout": "3 s"}
DIMENSIONS = {"dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits"}


class MemoryParameter(Rule):
    """A parameter lets a function have more memory than it needs: the custom rules see literal sizes only."""

    id = "W9111"
    shortdesc = "A parameter offers a Lambda function more memory than it needs"
    description = "Memory is paid for by the millisecond; raise the limit in .cfnlintrc when a measurement asks for it"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    tags = ["lambda", "cost"]
    settings = {"maximum_memory": 1024}  # MB, as in custom_rules.txt

    def subjects(self, template: Template) -> list[tuple[Function, str]]:
        """List the functions whose memory is a parameter, with its name."""
        return [
            (function, parameter)
            for function in functions(template)
            for memory in find(function.properties, "MemorySize")
            if (parameter := refers_to(memory)) in template.parameters and parameter
        ]

    def faults(self, subject: tuple[Function, str], template: Template) -> Iterator[Fault]:
        """Compare what the parameter offers with the limit."""
        function, parameter = subject
        body = template.parameters[parameter]
        # The default of a parameter of Systems Manager is a name, not a size.
        offered = map(shown, [body.get("Default"), *items(body.get("AllowedValues"))])
        largest = max((int(size) for size in offered if size.isdecimal()), default=0)
        limit = self.config["maximum_memory"]
        if largest > limit:
            yield Fault(
                ["Parameters", parameter],
                f"memory of {function.id} should be at most {limit} MB (got {largest}, which {parameter} offers)",
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
        return functions(template)

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Look for both sizes."""
        for name, default in DEFAULTS.items():
            if not find(subject.properties, name):
                yield Fault(["Resources", subject.id], f"{subject.id} should set {name} (got none, which is {default})")


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
        given = find(subject.properties, "BillingMode")
        if given and "PROVISIONED" not in given:
            return
        missing = sorted(DIMENSIONS - _scaled(subject.id, template))
        if missing:
            billing = "BillingMode PROVISIONED" if given else "no BillingMode, which is PROVISIONED"
            yield Fault(
                ["Resources", subject.id, "Properties", "BillingMode"],
                f"{subject.id} should be billed PAY_PER_REQUEST or scale its capacity (got {billing}, and no "
                f"scaling policy for {' and '.join(missing)})",
            )


def _scaled(table: str, template: Template) -> set[str]:
    """Give the dimensions of a table that have both a scalable target and a policy that moves it."""
    moved = {
        refers_to(policy.properties.get("ScalingTargetId"))
        for policy in template.of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
    }
    return {
        str(target.properties.get("ScalableDimension"))
        for target in template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
        if target.id in moved and table in mentioned(target.properties.get("ResourceId"))
    }
