"""The bucket whose files are read into the pipeline, if FilesBucket is true: upload a file, and its lines are records.

S3 tells EventBridge of each file, a rule puts that into a queue, and the queue starts the reader. A notification of the
bucket's own would name the queue, whose policy names the bucket: a circle.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from awacs import awslambda, dynamodb, sqs
from awacs import s3 as actions
from awacs.aws import Action
from troposphere import AWSHelperFn, AWSObject, GetAtt, Output, Ref, Sub, s3
from troposphere.awslambda import EventSourceMapping
from troposphere.cloudwatch import Alarm, Dashboard
from troposphere.dynamodb import Table
from troposphere.events import DeadLetterConfig, RetryPolicy, Rule, Target
from troposphere.logs import MetricFilter
from troposphere.sqs import Queue, RedrivePolicy

from . import parameters, policy, storage
from .conditions import FILES_ARE_WATCHED, HAS_FILES, HAS_KEY, when
from .stages import sam
from .stages.function import Component, component
from .stages.stage import LONGEST, Stage
from .storage import DAY, FILES_RULE, RETAINED
from .watching import alarms
from .watching.dashboard import files_dashboard

# Only the reader writes keys that begin with these: receipts, rejected and missing lines, and how far it is.
WRITTEN = ("receipts/", "rejected/", "missing/", "reports/")
KEPT = 30  # days for which a file that was replaced or deleted can be had back

# A new table takes 4,000 writes a second, and needs some for what is delivered twice or stored one by one.
RECORDS_A_SECOND = 3000
READERS = 2  # at once, which share these; the fewest that Lambda lets a queue start
ATTEMPTS = 5  # of a message, with 1, 4, 16 and 64 minutes between them: see functions/core/files/reading.py


class Files(NamedTuple):
    """The bucket, what reads it, and what starts that, in creation order; then what watches them, and their outputs."""

    resources: Sequence[AWSObject]
    alarms: Sequence[MetricFilter | Alarm]
    dashboard: Dashboard
    outputs: list[Output]


def files(entry: Component, *, table: Table, dead_letters: Queue) -> Files:
    """Read files into the pipeline. `entry` gets their records; the reader looks in `table` for what became of them.

    Files that could not be read end in `dead_letters`.
    """
    bucket, queue = _bucket(), _queue(dead_letters)
    reader = _reader(bucket, queue, entry, table=table, dead_letters=dead_letters)
    rule = _rule(bucket, queue, dead_letters)
    access = storage.queue_policy(queue, policy.sent_by_rule(GetAtt(rule, "Arn"), to=GetAtt(queue, "Arn")))
    made = Files(
        (bucket, queue, *reader.resources, _bucket_policy(bucket, reader), rule, access, _mapping(reader, queue)),
        (*reader.alarms, *alarms.on_files(rule, queue)),
        files_dashboard(reader, rule, queue),
        _outputs(bucket, queue, reader),
    )
    _only_if(HAS_FILES, made.resources)
    _only_if(FILES_ARE_WATCHED, (*made.alarms, made.dashboard))
    return made


def _bucket() -> s3.Bucket:
    """Keep the files, private, encrypted and retained, and for some days those that were replaced or deleted."""
    key = s3.ServerSideEncryptionByDefault(
        SSEAlgorithm=when(HAS_KEY, "aws:kms", otherwise="AES256"),
        KMSMasterKeyID=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
    )
    encryption = s3.ServerSideEncryptionRule(
        ServerSideEncryptionByDefault=key, BucketKeyEnabled=when(HAS_KEY, True, otherwise=False)
    )
    expiration = s3.LifecycleRule(
        Status="Enabled",
        NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=KEPT),
        AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(DaysAfterInitiation=7),
    )
    return s3.Bucket(
        "FilesStorage",  # a parameter has the name that it should have
        **RETAINED,
        BucketEncryption=s3.BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=s3.OwnershipControls(Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
        # An event is about one version: what is uploaded is read, even if the next one has replaced it meanwhile.
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=[expiration]),
        NotificationConfiguration=s3.NotificationConfiguration(
            EventBridgeConfiguration=s3.EventBridgeConfiguration(EventBridgeEnabled=True)
        ),
    )


def _objects(bucket: s3.Bucket, beginning: str = "") -> AWSHelperFn:
    """Name the objects of a bucket whose keys begin so."""
    return Sub(f"${{{bucket.title}.Arn}}/{beginning}*")


def _bucket_policy(bucket: s3.Bucket, reader: Component) -> s3.BucketPolicy:
    """Refuse plain HTTP, and let nobody else write what only the reader may have written."""
    return s3.BucketPolicy(
        "FilesStoragePolicy",
        Bucket=Ref(bucket),
        PolicyDocument=policy.document(
            policy.deny_plain_http(Action("s3", "*"), on=GetAtt(bucket, "Arn"), and_on=_objects(bucket)),
            policy.deny_to_others(
                actions.PutObject,
                actions.ReplicateObject,
                than=reader.role,
                on=[_objects(bucket, beginning) for beginning in WRITTEN],
            ),
        ),
    )


def _queue(dead_letters: Queue) -> Queue:
    """Keep the reader's messages."""
    return storage.queue(
        "FilesQueue",
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        VisibilityTimeout=6 * LONGEST,
        RedrivePolicy=RedrivePolicy(deadLetterTargetArn=GetAtt(dead_letters, "Arn"), maxReceiveCount=ATTEMPTS),
        RedriveAllowPolicy={"redrivePermission": "denyAll"},
    )


def _reader(bucket: s3.Bucket, queue: Queue, entry: Component, *, table: Table, dead_letters: Queue) -> Component:
    return component(
        Stage(
            "reader",
            description="Reads each file of the bucket into the pipeline, and looks what became of each line",
            memory=512,
            timeout=LONGEST,
            gradual=False,  # there is nothing to shift: a version is either read with or not
            invokes_itself=True,  # by messages to its queue
            polled=True,
            calls=[
                policy.allow(actions.GetObject, actions.GetObjectVersion, on=_objects(bucket)),
                policy.allow(actions.ListBucket, on=GetAtt(bucket, "Arn")),  # else what is not there is forbidden
                *(policy.allow(actions.PutObject, on=_objects(bucket, beginning)) for beginning in WRITTEN),
                policy.allow(actions.DeleteObject, on=_objects(bucket, "reports/")),
                policy.allow(
                    sqs.ReceiveMessage,
                    sqs.DeleteMessage,
                    sqs.GetQueueAttributes,
                    sqs.SendMessage,
                    sqs.ChangeMessageVisibility,
                    on=GetAtt(queue, "Arn"),
                ),
                policy.allow(awslambda.InvokeFunction, on=entry.function.alias),
                policy.allow(dynamodb.BatchGetItem, on=GetAtt(table, "Arn")),
                policy.use_key("dynamodb", "s3"),
            ],
            environment={
                "ENTRY_FUNCTION_ARN": entry.function.alias,
                "FILES_QUEUE_URL": Ref(queue),
                "TABLE_NAME": Ref(table),
                "RECORDS_A_SECOND": str(RECORDS_A_SECOND),
                "READERS": str(READERS),
            },
        ),
        None,
        dead_letters,
    )


def _rule(bucket: s3.Bucket, queue: Queue, dead_letters: Queue) -> Rule:
    """Put each object into the queue, except for those that the reader writes.

    A pattern can't ask two things of one field, so the reader looks at the names' ends itself:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    target = Target(
        Id="queue",
        Arn=GetAtt(queue, "Arn"),
        RetryPolicy=RetryPolicy(MaximumEventAgeInSeconds=DAY, MaximumRetryAttempts=185),
        DeadLetterConfig=DeadLetterConfig(Arn=GetAtt(dead_letters, "Arn")),
    )
    return Rule(
        FILES_RULE,
        Description="Puts each file that is uploaded into the bucket into the queue of files",
        State="ENABLED",
        EventPattern={
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [Ref(bucket)]},
                "object": {"key": [{"anything-but": {"prefix": list(WRITTEN)}}]},
            },
        },
        Targets=[target],
    )


def _mapping(reader: Component, queue: Queue) -> EventSourceMapping:
    return EventSourceMapping(
        "ReaderMapping",
        FunctionName=reader.function.alias,
        EventSourceArn=GetAtt(queue, "Arn"),
        BatchSize=1,
        ScalingConfig=sam.ScalingConfig(MaximumConcurrency=READERS),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )


def _outputs(bucket: s3.Bucket, queue: Queue, reader: Component) -> list[Output]:
    """Give the bucket's name, the queue, and what the tools know a function by."""
    return [
        Output(title, Condition=HAS_FILES, Description=description, Value=value)
        for title, description, value in (
            ("FilesBucketName", "Name of the bucket whose files are read", Ref(bucket)),
            ("FilesQueueUrl", "URL of the queue of files", Ref(queue)),
            ("FilesQueueArn", "ARN of the queue of files", GetAtt(queue, "Arn")),
            ("ReaderFunctionArn", "ARN of the alias of ReaderFunction", reader.function.alias),
            ("ReaderRoleId", "Unique id of ReaderRole", GetAtt(reader.role, "RoleId")),
        )
    ]


def _only_if(condition: str, resources: Iterable[AWSObject]) -> None:
    for resource in resources:
        resource.Condition = condition
