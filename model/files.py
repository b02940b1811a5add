"""The bucket whose files are read into the pipeline, where FilesBucket is true: drop a file, and its lines are records.

S3 tells EventBridge of each file, and a rule starts the reader. A notification of the bucket's own would name the
function, whose role names the bucket: a circle.
"""

from collections.abc import Iterable
from typing import NamedTuple

from awacs import awslambda
from awacs import s3 as actions
from awacs.aws import Action
from troposphere import AWSHelperFn, AWSObject, GetAtt, Output, Ref, Sub, s3
from troposphere.awslambda import Permission
from troposphere.cloudwatch import Alarm, Dashboard
from troposphere.events import DeadLetterConfig, RetryPolicy, Rule, Target
from troposphere.iam import ManagedPolicy
from troposphere.logs import MetricFilter
from troposphere.sqs import Queue

from . import parameters, policy
from .conditions import FILES_ARE_WATCHED, HAS_FILES, HAS_KEY, when
from .stages.function import Component, component
from .stages.stage import LONGEST, Stage
from .storage import FILES_RULE, RETAINED
from .watching import alarms
from .watching.dashboard import files_dashboard

DAY = 24 * 60 * 60  # seconds

# The reader writes what begins with these, functions/reader.py reads only names that end in the suffixes.
WRITTEN = ("rejected/", "reports/")
KEPT = 30  # days for which a file that was replaced or deleted can be had back

# A new table takes 4,000 writes a second, and needs some for what is delivered twice or stored one by one.
RECORDS_A_SECOND = 3000


class Files(NamedTuple):
    """The bucket, what reads it, and what starts that, in creation order."""

    bucket: s3.Bucket
    policy: s3.BucketPolicy
    reader: Component
    right_to_go_on: ManagedPolicy
    rule: Rule
    right_to_start: Permission
    alarms: tuple[MetricFilter | Alarm, ...]
    dashboard: Dashboard

    @property
    def resources(self) -> tuple[AWSObject, ...]:
        """All but what watches."""
        return (self.bucket, self.policy, *self.reader.resources, self.right_to_go_on, self.rule, self.right_to_start)

    @property
    def outputs(self) -> list[Output]:
        """The bucket's name, and what the tools know a function by."""
        alias, role_id = self.reader.function.alias, GetAtt(self.reader.role, "RoleId")
        return [
            Output(title, Condition=HAS_FILES, Description=description, Value=value)
            for title, description, value in (
                ("FilesBucketName", "Name of the bucket whose files are read", Ref(self.bucket)),
                ("ReaderFunctionArn", "ARN of the alias of ReaderFunction", alias),
                ("ReaderRoleId", "Unique id of ReaderRole", role_id),
            )
        ]


def files(entry: Component, *, dead_letters: Queue) -> Files:
    """Read files into the pipeline.

    Args:
        entry: The stage that records are given to.
        dead_letters: Where files end that could not be read.
    """
    bucket = _bucket()
    reader = _reader(bucket, entry, dead_letters)
    rule = _rule(bucket, reader, dead_letters)
    made = Files(
        bucket,
        s3.BucketPolicy(
            "FilesBucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=policy.document(
                policy.deny_plain_http(Action("s3", "*"), on=GetAtt(bucket, "Arn"), and_on=_objects(bucket))
            ),
        ),
        reader,
        _right_to_go_on(reader),
        rule,
        Permission(
            "FilesRulePermission",
            FunctionName=reader.function.alias,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(rule, "Arn"),
        ),
        (*reader.alarms, alarms.on_files_rule(rule)),
        files_dashboard(reader, rule),
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
    return s3.Bucket(
        "FilesStorage",  # a parameter has the name that it should have
        **RETAINED,
        BucketEncryption=s3.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                s3.ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=key, BucketKeyEnabled=when(HAS_KEY, True, otherwise=False)
                )
            ]
        ),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=s3.OwnershipControls(Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
        # An event is about one version: what is dropped is read, also where the next one has replaced it meanwhile.
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        LifecycleConfiguration=s3.LifecycleConfiguration(
            Rules=[
                s3.LifecycleRule(
                    Status="Enabled",
                    NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=KEPT),
                    AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(DaysAfterInitiation=7),
                )
            ]
        ),
        NotificationConfiguration=s3.NotificationConfiguration(
            EventBridgeConfiguration=s3.EventBridgeConfiguration(EventBridgeEnabled=True)
        ),
    )


def _objects(bucket: s3.Bucket, beginning: str = "") -> AWSHelperFn:
    """Name the objects of a bucket whose keys begin so."""
    return Sub(f"${{{bucket.title}.Arn}}/{beginning}*")


def _reader(bucket: s3.Bucket, entry: Component, dead_letters: Queue) -> Component:
    return component(
        Stage(
            "reader",
            description="Reads each file of the bucket, and gives its lines to the pipeline in batches",
            memory=512,
            timeout=LONGEST,
            gradual=False,  # there is nothing to shift: a version is either read with or not
            invokes_itself=True,
            calls=[
                policy.allow(actions.GetObject, actions.GetObjectVersion, on=_objects(bucket)),
                *(policy.allow(actions.PutObject, on=_objects(bucket, beginning)) for beginning in WRITTEN),
                policy.allow(awslambda.InvokeFunction, on=entry.function.alias),
                policy.use_key("s3"),
            ],
            environment={
                "ENTRY_FUNCTION_ARN": entry.function.alias,
                "RECORDS_A_SECOND": str(RECORDS_A_SECOND),
            },
        ),
        None,
        dead_letters,
    )


def _right_to_go_on(reader: Component) -> ManagedPolicy:
    """Allow the reader to invoke itself; in its own policy, which the function needs, it would be a circle."""
    return policy.managed(
        "ReaderGoesOn",
        policy.allow(awslambda.InvokeFunction, on=reader.function.alias),
        description="The reader goes on with a file in another invocation",
        Roles=[Ref(reader.role)],
    )


def _rule(bucket: s3.Bucket, reader: Component, dead_letters: Queue) -> Rule:
    """Start the reader for each object but those that it writes.

    A pattern can't ask two things of one field, so that the reader looks at the names' ends itself:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    return Rule(
        FILES_RULE,
        Description="Starts the reader for each file that is dropped into the bucket",
        State="ENABLED",
        EventPattern={
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [Ref(bucket)]},
                "object": {"key": [{"anything-but": {"prefix": list(WRITTEN)}}]},
            },
        },
        Targets=[
            Target(
                Id="reader",
                Arn=reader.function.alias,
                RetryPolicy=RetryPolicy(MaximumEventAgeInSeconds=DAY, MaximumRetryAttempts=185),
                DeadLetterConfig=DeadLetterConfig(Arn=GetAtt(dead_letters, "Arn")),
            )
        ],
    )


def _only_if(condition: str, resources: Iterable[AWSObject]) -> None:
    for resource in resources:
        resource.Condition = condition
