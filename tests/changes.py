"""Changes that somebody makes to their own copy of the project, each as small as they would make it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

Change = Callable[[Path], None]


def edit(path: Path, *, at: str, put: str) -> None:
    """Replace what a regular expression finds in a file, once.

    Raises:
        AssertionError: the file has it nowhere, or more than once.
    """
    text, places = re.subn(at, lambda match: match.expand(put), path.read_text("utf-8"), flags=re.MULTILINE)
    assert places == 1, f"{path.name} has {places} places for {at}"
    path.write_text(text, "utf-8")


def without_the_enricher(copy: Path) -> None:
    """Take a stage out, with its module and what the sample's tests say of it."""
    edit(copy / "model/stack.py", at=r' {8}Stage\(\n {12}"enricher",\n(?: {12}.*\n)+ {8}\),\n', put="")
    (copy / "functions/enricher.py").unlink()


def with_another_stage(copy: Path) -> None:
    """Put a stage in that does nothing."""
    edit(
        copy / "model/stack.py",
        at=r'^( {8}Stage\(\n {12}"processor",)',
        put='        Stage("booker", description="Books each record", memory=192),\n\\1',
    )
    (copy / "functions/booker.py").write_text(
        '"""The booker."""\n\nfrom record import Record\nfrom stage import stage\n\n\n@stage("booked")\n'
        'def handler(record: Record) -> None:\n    """Hand a record on as it came."""\n'
    )


def with_other_sizes(copy: Path) -> None:
    """Change a stage's memory, every stage's timeout and the runtime."""
    edit(copy / "model/stack.py", at=r'("processor",\n.*\n +)memory=512', put=r"\1memory=1024")
    edit(copy / "model/function.py", at="^TIMEOUT = 60", put="TIMEOUT = 30")
    edit(copy / "model/function.py", at='^RUNTIME = "python3.13"', put='RUNTIME = "python3.12"')


def with_other_tags(copy: Path) -> None:
    """Change a tag's value, and add another."""
    edit(
        copy / "model/project.py", at='"CostCenter": "Engineering"', put='"CostCenter": "Sales",\n    "Team": "Orders"'
    )


def with_an_index(copy: Path) -> None:
    """Give the table a global index, over an attribute of its own."""
    edit(
        copy / "model/storage.py",
        at=r'^( +)(dynamodb\.AttributeDefinition\(AttributeName="timestamp", AttributeType="N"\),)$',
        put=r'\1\2\n\1dynamodb.AttributeDefinition(AttributeName="version", AttributeType="S"),',
    )
    edit(
        copy / "model/storage.py",
        at=r"^( +)(PointInTimeRecoverySpecification=.*)$",
        put="""\
\\1GlobalSecondaryIndexes=[
\\1    dynamodb.GlobalSecondaryIndex(
\\1        IndexName="by-version",
\\1        KeySchema=[dynamodb.KeySchema(AttributeName="version", KeyType="HASH")],
\\1        Projection=dynamodb.Projection(ProjectionType="KEYS_ONLY"),
\\1    )
\\1],
\\1\\2""",
    )


def with_a_bucket_and_a_queue(copy: Path) -> None:
    """Add a bucket and a queue, with rights on both for one stage."""
    (copy / "model/shipping.py").write_text(
        '''"""Where the processor keeps receipts, and tells of them."""

from troposphere import s3, sqs


def receipts() -> s3.Bucket:
    """Keep receipts, encrypted and closed to the public."""
    return s3.Bucket(
        "ReceiptsBucket",
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
    )


def shipments() -> sqs.Queue:
    """Tell of what is to be shipped."""
    return sqs.Queue("ShipmentsQueue", SqsManagedSseEnabled=True)
'''
    )
    stack = copy / "model/stack.py"
    edit(stack, at=r"^from awacs import dynamodb$", put="from awacs import dynamodb, s3, sqs")
    edit(stack, at=r"^from \. import alarms, (.*), storage$", put=r"from . import alarms, \1, shipping, storage")
    edit(
        stack,
        at=r"^( +)(dead_letters = storage\.dead_letters\(\))$",
        put=r"\1\2\n\1receipts, shipments = shipping.receipts(), shipping.shipments()",
    )
    edit(
        stack,
        at=r"^( +)(retries=0,)$",
        put=r"""\1\2
\1calls=[
\1    policy.allow(s3.PutObject, on=Sub("${ReceiptsBucket.Arn}/*")),
\1    policy.allow(sqs.SendMessage, on=GetAtt(shipments, "Arn")),
\1],
\1environment={"RECEIPTS_BUCKET_NAME": Ref(receipts), "SHIPMENTS_QUEUE_URL": Ref(shipments)},""",
    )


def with_another_field(copy: Path) -> None:
    """Declare a field that producers may send."""
    record = copy / "functions/record.py"
    edit(record, at=r"^(FIELDS = \((?:\n .*)+\n)\)", put=r'\1    Field("source", text, at_most=64),\n)')


CHANGES: dict[str, Change] = {
    "no enricher": without_the_enricher,
    "booker": with_another_stage,
    "sizes": with_other_sizes,
    "tags": with_other_tags,
    "index": with_an_index,
    "bucket and queue": with_a_bucket_and_a_queue,
    "field": with_another_field,
}
