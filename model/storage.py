"""The table of records and the queue of dead letters: what has to outlive the stack."""

from typing import Any, NamedTuple

from awacs.aws import Action, Statement
from troposphere import AWSHelperFn, GetAtt, NoValue, Ref, dynamodb, sqs

from . import parameters, policy
from .conditions import DATA_IS_PROTECTED, HAS_FILES, HAS_KEY, when

DAY = 24 * 60 * 60  # seconds

FILES_RULE = "FilesRule"  # see files.py: it sends here what it can't put into the queue of files

# Both are retained when the stack is deleted or a change replaces them, and have no name of their own: a deleted
# stack can be made again while what it left is still there. A creation that fails leaves nothing.
RETAINED: dict[str, Any] = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def data_table() -> dynamodb.Table:
    """Keep the records by id and timestamp: on demand, encrypted, restorable to any second of the last 35 days."""
    return dynamodb.Table(
        "DataTable",
        **RETAINED,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            dynamodb.AttributeDefinition(AttributeName="id", AttributeType="S"),
            dynamodb.AttributeDefinition(AttributeName="timestamp", AttributeType="N"),
        ],
        KeySchema=[
            dynamodb.KeySchema(AttributeName="id", KeyType="HASH"),
            dynamodb.KeySchema(AttributeName="timestamp", KeyType="RANGE"),
        ],
        PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(PointInTimeRecoveryEnabled=True),
        SSESpecification=dynamodb.SSESpecification(
            SSEEnabled=True, SSEType="KMS", KMSMasterKeyId=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN))
        ),
        DeletionProtectionEnabled=when(DATA_IS_PROTECTED, True, otherwise=False),
    )


class DeadLetters(NamedTuple):
    """The dead-letter queue and the policy that refuses plain HTTP, in creation order."""

    queue: sqs.Queue
    policy: sqs.QueuePolicy


def dead_letters() -> DeadLetters:
    """Keep what the functions failed on."""
    kept = queue(
        "DeadLetterQueue",
        # No queue may name it as its own dead-letter queue but that of files, which can't be named here: it names this
        # one. What another queue puts here is nobody's letter to the tools.
        RedriveAllowPolicy={"redrivePermission": when(HAS_FILES, "allowAll", otherwise="denyAll")},
    )
    sent_by_rule = policy.sent_by_rule(GetAtt(FILES_RULE, "Arn"), to=GetAtt(kept, "Arn"))
    return DeadLetters(kept, queue_policy(kept, when(HAS_FILES, sent_by_rule)))


def queue(title: str, **settings: Any) -> sqs.Queue:
    """Keep messages for 14 days, the longest that SQS offers.

    A queue has either key: SQS's own, which is free, or a KMS key.
    """
    return sqs.Queue(
        title,
        **RETAINED,
        MessageRetentionPeriod=14 * DAY,
        **settings,
        SqsManagedSseEnabled=when(HAS_KEY, NoValue, otherwise=True),
        KmsMasterKeyId=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
    )


def queue_policy(of: sqs.Queue, *statements: Statement | AWSHelperFn) -> sqs.QueuePolicy:
    """Refuse plain HTTP to a queue, and say what else holds for it."""
    plain_http = policy.deny_plain_http(Action("sqs", "*"), on=GetAtt(of, "Arn"))
    document = policy.document(plain_http, *statements)
    return sqs.QueuePolicy(f"{of.title}Policy", PolicyDocument=document, Queues=[Ref(of)])
