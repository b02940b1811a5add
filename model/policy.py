"""IAM statements that can only be as narrow as they are written."""

from awacs import aws, kms, xray
from awacs.aws import Action, Allow, Bool, Condition, Deny, Principal, SecureTransport, Statement
from awacs.sts import AssumeRole
from troposphere import AWSHelperFn, Ref

from .conditions import HAS_KEY, when
from .parameters import KMS_KEY_ARN

VERSION = "2012-10-17"

# X-Ray's write actions have no resource type, so "*" is the only resource that they can be allowed on:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
TRACE = Statement(Effect=Allow, Action=[xray.PutTraceSegments, xray.PutTelemetryRecords], Resource=["*"])


class PolicyDocument(aws.PolicyDocument):
    """A policy whose statements may depend on a condition, which awacs' own type check refuses."""

    props = {**aws.PolicyDocument.props, "Statement": (list, True)}


def allow(*actions: Action, on: AWSHelperFn) -> Statement:
    """Allow the named actions on one resource of this template.

    Raises:
        ValueError: no action is given, or one holds a wildcard.
        TypeError: the resource is text, which can dangle, instead of a Ref or GetAtt.
    """
    if not actions:
        raise ValueError("allow() takes at least one action (got none)")
    for action in actions:
        if "*" in action.JSONrepr():
            raise ValueError(f"an allowed action must be named in full (got '{action.JSONrepr()}')")
    if not isinstance(on, AWSHelperFn):
        raise TypeError(f"the resource of an allowed action must be a Ref or GetAtt (got {on!r})")
    return Statement(Effect=Allow, Action=list(actions), Resource=[on])


def deny_plain_http(*actions: Action, on: AWSHelperFn) -> Statement:
    """Deny actions on a resource to whoever calls without TLS."""
    return Statement(
        Effect=Deny,
        Principal=Principal("*"),
        Action=list(actions),
        Resource=[on],
        Condition=Condition(Bool(SecureTransport, "false")),
    )


def document(*statements: Statement | AWSHelperFn) -> PolicyDocument:
    """Gather statements into a policy of the current language version, which awacs leaves out by itself."""
    return PolicyDocument(Version=VERSION, Statement=list(statements))


def use_key() -> AWSHelperFn:
    """Allow what the queue and the table ask of their callers' rights to the user's key, where there is one.

    SQS encrypts a message with a data key of the sender's; DynamoDB decrypts its table key in the caller's name:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    return when(HAS_KEY, allow(kms.Decrypt, kms.GenerateDataKey, on=Ref(KMS_KEY_ARN)))


def assumed_by_lambda() -> PolicyDocument:
    """Let Lambda, and nobody else, assume the role."""
    return document(
        Statement(Effect=Allow, Principal=Principal("Service", "lambda.amazonaws.com"), Action=[AssumeRole])
    )
