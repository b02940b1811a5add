"""What holds data: kept when the stack goes, sealed at rest and on the way."""

from collections.abc import Iterator

from .dead_letters import dead_letter_queues
from .iam import statements
from .reading import Resource, Template, find, items, refers_to, text
from .rule import Fault, Rule

KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")


class UnretainedData(Rule):
    """Records or dead letters go when the stack goes, or when a change replaces what holds them."""

    id = "E9301"
    shortdesc = "A table or dead-letter queue is deleted with the stack"
    description = "A slip of the hand deletes a stack; what holds data should stay until somebody deletes it itself"
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
    )
    tags = ["durability"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the tables and the dead-letter queues."""
        return [*template.of_type("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"), *dead_letter_queues(template)]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look at what happens on deletion and on replacement."""
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            policy = text(subject.attributes.get(attribute, "Delete"))
            if policy not in KEPT:
                yield Fault(
                    ["Resources", subject.id, attribute],
                    f"{attribute} of {subject.id} should be Retain (got {policy})",
                )


class PlainHttpAccepted(Rule):
    """A queue takes and gives messages over plain HTTP."""

    id = "E9302"
    shortdesc = "A queue accepts plain HTTP"
    description = "SQS listens on plain HTTP too, unless the queue's policy denies what comes without TLS"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"
    )
    tags = ["sqs", "security"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the queues."""
        return template.of_type("AWS::SQS::Queue")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a policy of the queue that denies everything without TLS."""
        policies = {
            policy.id
            for policy in template.of_type("AWS::SQS::QueuePolicy")
            if subject.id in map(refers_to, items(policy.properties.get("Queues")))
        }
        if not any(s.owner.id in policies and _denies_plain_http(s.body, subject.id) for s in statements(template)):
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should have a policy that denies sqs:* to everybody on it where aws:SecureTransport is "
                "false (got none)",
            )


class UnencryptedQueue(Rule):
    """A queue may keep its messages in the clear."""

    id = "E9303"
    shortdesc = "A queue is not encrypted at rest"
    description = "Say it in the template, which is what an auditor reads"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html"
    )
    tags = ["sqs", "security"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the queues."""
        return template.of_type("AWS::SQS::Queue")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a key, SQS's own or the customer's."""
        sealed = [*map(text, find(subject.properties, "SqsManagedSseEnabled"))]
        if "true" not in map(str.lower, sealed) and not find(subject.properties, "KmsMasterKeyId"):
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should set SqsManagedSseEnabled: true or a KmsMasterKeyId "
                f"(got {', '.join(sealed) or 'neither'})",
            )


def _denies_plain_http(statement: dict[str, object], queue: str) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and "sqs:*" in map(str.lower, map(text, items(statement.get("Action"))))
        and any(refers_to(resource) == queue or resource == "*" for resource in items(statement.get("Resource")))
        and [text(each).lower() for each in find(statement.get("Condition"), "Bool", "aws:SecureTransport")]
        == ["false"]
    )
