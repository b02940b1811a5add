"""What holds data: kept when the stack goes, encrypted at rest and on the way, closed to the public.

S3 encrypts every object, so that a bucket need not say so:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

import re
from collections.abc import Iterator
from typing import Any

from .dead_letters import dead_letter_queues
from .iam import Statement, statements
from .reading import Resource, Template, find, items, refers_to, shown, text
from .rule import Fault, Rule

# There are no snapshots of tables, queues and buckets, and an UpdateReplacePolicy can't be RetainExceptOnCreate.
KEEPING = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
# The policies of what listens on plain HTTP, the property that names what they are of, and all of its actions.
POLICIES = {
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
}
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class UnretainedData(Rule):
    """Records, files or dead letters go with the stack, or when a change replaces what holds them."""

    id = "E9301"
    shortdesc = "A table, bucket or dead-letter queue is deleted with the stack"
    description = "A slip of the hand deletes a stack; what holds data should stay until somebody deletes that, too"
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
    )
    tags = ["durability"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the tables, the buckets and the dead-letter queues."""
        types = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket")
        return [*template.of_type(*types), *dead_letter_queues(template)]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look at what happens on deletion and on replacement."""
        for attribute, kept in KEEPING.items():
            policy = subject.attributes.get(attribute)
            if policy not in kept:
                got = shown(policy) if policy else "none, which is Delete"
                yield Fault(
                    ["Resources", subject.id, attribute],
                    f"{attribute} of {subject.id} should be {' or '.join(kept)} (got {got})",
                )


class PlainHttpAccepted(Rule):
    """A queue or a bucket takes and gives what it holds over plain HTTP."""

    id = "E9302"
    shortdesc = "A queue or a bucket accepts plain HTTP"
    description = "SQS and S3 listen on plain HTTP too, unless a policy denies what comes without TLS"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"
    )
    tags = ["sqs", "s3", "security"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the queues and the buckets."""
        return template.of_type(*POLICIES)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a policy that denies everything without TLS."""
        policy_type, property_name, actions = POLICIES[subject.type]
        policies = {
            policy.id
            for policy in template.of_type(policy_type)
            for of in items(policy.properties.get(property_name))
            if refers_to(of) == subject.id or text(of) in _names(subject)
        }
        if not any(s.owner.id in policies and _denies_plain_http(s, subject) for s in statements(template)):
            on = f"{subject.id} and {subject.id}/*" if subject.type == "AWS::S3::Bucket" else "it"
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should have a policy that denies {actions} to everybody on {on} where "
                "aws:SecureTransport is false (got none)",
            )


class UnencryptedQueue(Rule):
    """A queue does not say that it encrypts its messages."""

    id = "E9303"
    shortdesc = "A queue is not encrypted at rest"
    description = "SQS encrypts new queues by itself; say it in the template, which is what an auditor reads"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html"
    )
    tags = ["sqs", "security"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the queues."""
        return template.of_type("AWS::SQS::Queue")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a key, SQS's own or the customer's."""
        own = [*map(shown, find(subject.properties, "SqsManagedSseEnabled"))]
        if "true" not in map(str.lower, own) and not find(subject.properties, "KmsMasterKeyId"):
            got = f"SqsManagedSseEnabled: {', '.join(own)}" if own else "neither"
            yield Fault(
                ["Resources", subject.id],
                f"{subject.id} should set SqsManagedSseEnabled: true or a KmsMasterKeyId (got {got})",
            )


class OpenBucket(Rule):
    """A bucket does not say that it blocks public access, or says that it does not."""

    id = "E9304"
    shortdesc = "A bucket does not block public access"
    description = (
        "S3 closes new buckets to the public by itself; say it in the template, which is what an auditor reads"
    )
    source_url = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
    tags = ["s3", "security"]

    def subjects(self, template: Template) -> list[Resource]:
        """List the buckets."""
        return template.of_type("AWS::S3::Bucket")

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for each of the four settings, on every side of a condition."""
        for blocks in find(subject.properties, "PublicAccessBlockConfiguration") or [None]:
            lacking = [name for name in PUBLIC_ACCESS if _is_off(blocks, name)]
            if lacking:
                yield Fault(
                    ["Resources", subject.id, "Properties", "PublicAccessBlockConfiguration"],
                    f"PublicAccessBlockConfiguration of {subject.id} should set {', '.join(lacking)} to true "
                    f"(got {shown(blocks)})",
                )


def _denies_plain_http(statement: Statement, of: Resource) -> bool:
    body = statement.body
    return (
        body.get("Effect") == "Deny"
        and body.get("Principal") in ("*", {"AWS": "*"})
        and POLICIES[of.type][2] in map(str.lower, statement.actions)
        and _covers(statement.resources, of)
        and [shown(each).lower() for each in find(body.get("Condition"), "Bool", "aws:SecureTransport")] == ["false"]
    )


def _names(of: Resource) -> list[str]:
    return [text(name) for name in find(of.properties, "BucketName")]


def _covers(resources: list[Any], of: Resource) -> bool:
    """Tell whether resources are a queue, or a bucket and all that is in it."""
    names = "|".join(map(re.escape, [f"${{{of.id}}}", *_names(of)]))
    arn = re.compile(rf"(?:\$\{{{of.id}\.Arn\}}|arn:.*:::(?:{names}))(?P<within>|/?\*)")
    within = {match["within"] for match in map(arn.fullmatch, map(text, resources)) if match}
    wanted = {"", "/*"} if of.type == "AWS::S3::Bucket" else {""}
    return "*" in resources or "*" in within or wanted <= within


def _is_off(blocks: Any, name: str) -> bool:
    return "false" in map(str.lower, map(shown, find(blocks, name) or [False]))
