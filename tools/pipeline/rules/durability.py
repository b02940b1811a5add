"""What holds data: kept when the stack goes, encrypted at rest and on the way, closed to the public.

S3 encrypts every object, so that a bucket need not say so:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

import re
from collections.abc import Iterator
from typing import Any

from .dead_letters import dead_letter_queues
from .iam import Statement, statements_of
from .reading import Resource, Template, find, items
from .rule import Demand, Fault, Rule
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
RESTORABLE = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"
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
        types = (TABLE, "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket")
        return [*template.of_type(*types), *dead_letter_queues(template)]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look at what happens on deletion and on replacement."""
        for attribute, kept in KEEPING.items():
            for policy in subject.attribute(attribute):
                if policy not in kept and not isinstance(policy, dict):
                    got = "none, which is Delete" if policy is None else shown(policy)
                    yield Fault(
                        ["Resources", subject.id, attribute],
                        f"{attribute} of {subject.id} should be {' or '.join(kept)} (got {got})",
                    )


class UndecidedRecovery(Demand):
    """Nobody decided whether a table can be restored."""

    id = "E9004"
    shortdesc = "A table should set PointInTimeRecoveryEnabled, so that a bad write can be undone"
    description = "A table can be restored to a second of the last 35 days, but only if that was on before"
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html"
    tags = ["dynamodb", "durability"]
    resource_type = TABLE
    demanded = RESTORABLE


class Unrestorable(UndecidedRecovery):
    """A table can't be restored."""

    id = "E9005"
    shortdesc = "PointInTimeRecoveryEnabled of a table should be true"
    wanted = "true"


class UndecidedEncryption(Demand):
    """A table does not say how it is encrypted."""

    id = "E9006"
    shortdesc = "A table should set SSEEnabled, so that its key is in the account and its use is logged"
    description = "DynamoDB encrypts every table, unless told otherwise with a key that it shares among accounts"
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html"
    tags = ["dynamodb", "security"]
    resource_type = TABLE
    demanded = "SSESpecification.SSEEnabled"


class SharedKey(UndecidedEncryption):
    """A table is encrypted with a key that is in nobody's account."""

    id = "E9010"
    shortdesc = "SSEEnabled of a table should be true"
    wanted = "true"


class UndecidedProtection(Demand):
    """Nobody decided whether a table may be deleted."""

    id = "E9011"
    shortdesc = "A table should say in DeletionProtectionEnabled whether it may be deleted"
    description = "Whoever may delete the table deletes it by a slip of the hand, unless it is protected"
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html"
    tags = ["dynamodb", "durability"]
    resource_type = TABLE
    demanded = "DeletionProtectionEnabled"


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
        """Look for a policy that denies everything without TLS, in every case."""
        policy_type, property_name, actions = POLICIES[subject.type]
        policies = [
            policy
            for policy in template.of_type(policy_type)
            if any(_is_of(policy_of, subject) for form in policy.find(property_name) for policy_of in items(form))
        ]
        written = {policy.id: policy.unless_left_out("PolicyDocument") for policy in policies}
        for form in template.values.possible(written, when=subject.when):
            bodies = [body for document in form.values() for body in statements_of(document)]
            if any(_denies_plain_http(Statement(subject, [], body, of_identity=False), subject) for body in bodies):
                continue
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
        for form in subject.forms("SqsManagedSseEnabled", "KmsMasterKeyId"):
            own = form.get("SqsManagedSseEnabled")
            if text(own).lower() == "true" or form.get("KmsMasterKeyId"):
                continue
            got = "neither" if own is None else f"SqsManagedSseEnabled: {shown(own)}"
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
        for blocks in subject.possible("PublicAccessBlockConfiguration"):
            lacking = [name for name in PUBLIC_ACCESS if _is_off(blocks, name)]
            if lacking:
                yield Fault(
                    subject.at("PublicAccessBlockConfiguration"),
                    f"PublicAccessBlockConfiguration of {subject.id} should set {', '.join(lacking)} to true "
                    f"(got {shown(blocks)})",
                )


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


def _is_of(policy_of: Any, resource: Resource) -> bool:
    return refers_to(policy_of) == resource.id or text(policy_of) in _names(resource)


def _names(of: Resource) -> list[str]:
    return [text(name) for name in of.find("BucketName")]


def _covers(resources: list[Any], of: Resource) -> bool:
    """Tell whether resources are a queue, or a bucket and all that is in it."""
    names = "|".join(map(re.escape, [f"${{{of.id}}}", *_names(of)]))
    arn = re.compile(rf"(?:\$\{{{of.id}\.Arn\}}|arn:.*:::(?:{names}))(?P<within>|/?\*)")
    within = {match["within"] for match in map(arn.fullmatch, map(text, resources)) if match}
    wanted = {"", "/*"} if of.type == "AWS::S3::Bucket" else {""}
    return "*" in resources or "*" in within or wanted <= within


def _is_off(blocks: Any, name: str) -> bool:
    return "false" in map(str.lower, map(shown, find(blocks, name) or [False]))
