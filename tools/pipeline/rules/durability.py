"""What holds data: kept when the stack goes, encrypted at rest and on the way, closed to the public.

S3 encrypts every object, so that a bucket need not say so:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

import re
from collections.abc import Iterator
from typing import Any

from .dead_letters import dead_letter_queues
from .iam import Statement, statements_of
from .reading import Fault, Resource, Template, find, items
from .rule import Rule
from .trust import asked_of, is_anybody
from .values import refers_to, shown, text

# There are no snapshots of tables, queues and buckets, and an UpdateReplacePolicy can't be RetainExceptOnCreate.
KEEPING = {"DeletionPolicy": ("Retain", "RetainExceptOnCreate"), "UpdateReplacePolicy": ("Retain",)}
# The policies of what listens on plain HTTP, the property that names what they are of, and all of its actions.
POLICIES = {
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
}
TABLE = "AWS::DynamoDB::Table"
PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class UnretainedData(Rule):
    """A slip of the hand deletes a stack; what holds data should stay until somebody deletes that, too."""

    id = "E9301"
    shortdesc = "A table, bucket or dead-letter queue is deleted with the stack"
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
    )

    def subjects(self, template: Template) -> list[Resource]:
        types = (TABLE, "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket")
        return [*template.of_type(*types), *dead_letter_queues(template)]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        for attribute, kept in KEEPING.items():
            for policy in subject.attribute(attribute):
                if policy not in kept and not isinstance(policy, dict):
                    got = "none, which is Delete" if policy is None else shown(policy)
                    expected = f"{attribute} of {subject.id} should be {' or '.join(kept)} (got {got})"
                    yield Fault(["Resources", subject.id, attribute], expected)


class PlainHttpAccepted(Rule):
    """SQS and S3 listen on plain HTTP too, unless a policy denies what comes without TLS."""

    id = "E9302"
    shortdesc = "A queue or a bucket accepts plain HTTP"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"
    )
    looks_at = tuple(POLICIES)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        policy_type, property_name, actions = POLICIES[subject.type]
        written = {
            policy.id: policy.unless_left_out("PolicyDocument")
            for policy in template.of_type(policy_type)
            for form in policy.find(property_name)
            if any(refers_to(of) == subject.id or text(of) in _names(subject) for of in items(form))
        }
        for form in template.values.possible(written, when=subject.when):
            bodies = [body for document in form.values() for body in statements_of(document)]
            if any(_denies_plain_http(Statement(subject, [], body, of_identity=False), subject) for body in bodies):
                continue
            on = f"{subject.id} and {subject.id}/*" if subject.type == "AWS::S3::Bucket" else "it"
            expected = f"have a policy that denies {actions} to everybody on {on} where aws:SecureTransport is false"
            yield subject.should(expected, None)


class UnencryptedQueue(Rule):
    """SQS encrypts new queues by itself; say it in the template, which is what an auditor reads."""

    id = "E9303"
    shortdesc = "A queue is not encrypted at rest"
    source_url = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html"
    )
    looks_at = ("AWS::SQS::Queue",)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        for form in subject.forms("SqsManagedSseEnabled", "KmsMasterKeyId"):
            own = form.get("SqsManagedSseEnabled")
            if text(own).lower() == "true" or form.get("KmsMasterKeyId"):
                continue
            got = "neither" if own is None else f"SqsManagedSseEnabled: {shown(own)}"
            yield subject.should("set SqsManagedSseEnabled: true or a KmsMasterKeyId", got)


class OpenBucket(Rule):
    """S3 closes new buckets to the public by itself; say it in the template, which is what an auditor reads."""

    id = "E9304"
    shortdesc = "A bucket does not block public access"
    source_url = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
    looks_at = ("AWS::S3::Bucket",)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        for blocks in subject.possible("PublicAccessBlockConfiguration"):
            lacking = [name for name in PUBLIC_ACCESS if "false" in shown(find(blocks, name) or False).lower()]
            if lacking:
                expected = f"PublicAccessBlockConfiguration of {subject.id} should set {', '.join(lacking)} to true"
                yield Fault(subject.at("PublicAccessBlockConfiguration"), f"{expected} (got {shown(blocks)})")


def _denies_plain_http(statement: Statement, of: Resource) -> bool:
    """Return whether a statement denies everything without TLS: any further condition would let something through."""
    asked = [(test.key, test.operator, [*map(str.lower, test.values)]) for test in asked_of(statement)]
    return (
        not statement.allows
        and is_anybody(statement)
        and {"*", POLICIES[of.type][2]}.intersection(map(str.lower, statement.actions)) != set()
        and _covers(statement.resources, of)
        and asked == [("aws:securetransport", "bool", ["false"])]
    )


def _names(of: Resource) -> list[str]:
    return [text(name) for name in of.find("BucketName")]


def _covers(resources: list[Any], of: Resource) -> bool:
    """Tell whether resources are a queue, or a bucket and all that is in it."""
    names = "|".join(map(re.escape, [f"${{{of.id}}}", *_names(of)]))
    arn = re.compile(rf"(?:\$\{{{of.id}\.Arn\}}|arn:.*:::(?:{names}))(?P<within>|/?\*)")
    within = {match["within"] for match in map(arn.fullmatch, map(text, resources)) if match}
    wanted = {"", "/*"} if of.type == "AWS::S3::Bucket" else {""}
    return "*" in resources or "*" in within or wanted <= within
