"""Tables whose capacity is fixed."""

from collections.abc import Iterator

from .reading import Resource, Template, find, mentioned, refers_to
from .rule import Fault, Rule

DIMENSIONS = {"dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits"}


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
        # Without a billing mode CloudFormation provisions.
        if "PROVISIONED" not in (find(subject.properties, "BillingMode") or ["PROVISIONED"]):
            return
        missing = sorted(DIMENSIONS - _scaled(subject.id, template))
        if missing:
            yield Fault(
                ["Resources", subject.id, "Properties", "BillingMode"],
                f"{subject.id} should be billed PAY_PER_REQUEST or scale its capacity (got PROVISIONED, and no "
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
