"""IAM statements, which name each action and each resource."""

from collections.abc import Sequence
from typing import Any

from awacs import aws, kms, sqs, xray
from awacs.aws import (
    Action,
    Allow,
    ArnEquals,
    ArnNotEquals,
    Bool,
    Condition,
    ConditionElement,
    Deny,
    Principal,
    Statement,
    StringLike,
)
from awacs.sts import AssumeRole
from troposphere import AWSHelperFn, GetAtt, Ref, Sub
from troposphere.iam import ManagedPolicy, Role

from .conditions import HAS_BOUNDARY, HAS_KEY, when
from .parameters import KMS_KEY_ARN, PERMISSIONS_BOUNDARY_ARN, suffixed

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
        TypeError: the resource is text, which can dangle, instead of a Ref, GetAtt or Sub.
    """
    if not actions:
        raise ValueError("allow() takes at least one action (got none)")
    for action in actions:
        if "*" in action.JSONrepr():
            raise ValueError(f"an allowed action must be named in full (got '{action.JSONrepr()}')")
    if not isinstance(on, AWSHelperFn):
        raise TypeError(f"the resource of an allowed action must be a Ref, GetAtt or Sub (got {on!r})")
    return Statement(Effect=Allow, Action=list(actions), Resource=[on])


def deny_plain_http(*actions: Action, on: AWSHelperFn, and_on: AWSHelperFn | None = None) -> Statement:
    """Deny actions on a resource to whoever calls without TLS."""
    resources = [on, *([and_on] if and_on else [])]
    return _deny_all(actions, on=resources, whose=Bool({"aws:SecureTransport": "false"}))


def deny_to_others(*actions: Action, than: Role, on: list[AWSHelperFn]) -> Statement:
    """Deny actions on resources to everybody but one role."""
    return _deny_all(actions, on=on, whose=ArnNotEquals({"aws:PrincipalArn": GetAtt(than, "Arn")}))


def _deny_all(actions: Sequence[Action], *, on: list[AWSHelperFn], whose: ConditionElement) -> Statement:
    condition = Condition(whose)
    return Statement(Effect=Deny, Principal=Principal("*"), Action=list(actions), Resource=on, Condition=condition)


def allow_service(name: str, action: Action, *, on: AWSHelperFn, whose: ConditionElement) -> Statement:
    """Allow a service of AWS one action, under a condition."""
    return Statement(
        Effect=Allow,
        Principal=Principal("Service", f"{name}.amazonaws.com"),
        Action=[action],
        Resource=[on],
        Condition=Condition(whose),
    )


def sent_by_rule(rule: AWSHelperFn, *, to: AWSHelperFn) -> Statement:
    """Let EventBridge send to a queue by one of its rules."""
    return allow_service("events", sqs.SendMessage, on=to, whose=ArnEquals({"aws:SourceArn": rule}))


def document(*statements: Statement | AWSHelperFn) -> PolicyDocument:
    """Gather statements into a policy of the current language version, which awacs leaves out by itself."""
    return PolicyDocument(Version=VERSION, Statement=list(statements))


def use_key(*services: str) -> AWSHelperFn:
    """Allow services to use the user's key in the role's name, if there is one.

    SQS encrypts a message with a data key of the sender's, and DynamoDB decrypts its table key in the caller's name.
    Lambda decrypts the environment variables by a grant to the role, or by the role's own right where the deployer may
    not make grants:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    statement = allow(kms.Decrypt, kms.GenerateDataKey, on=Ref(KMS_KEY_ARN))
    # The suffix differs by partition (amazonaws.com, amazonaws.com.cn), and only AWS can set the key.
    statement.Condition = Condition(StringLike({"kms:ViaService": [Sub(f"{s}.${{AWS::Region}}.*") for s in services]}))
    return when(HAS_KEY, statement)


# Of the stack's roles and policies alone, so that the deployment role can be kept from all others, whatever their name.
PATH = suffixed(path="/", end="/")


def managed(title: str, *statements: Statement | AWSHelperFn, description: str, **more: Any) -> ManagedPolicy:
    """Make a policy that roles have."""
    return ManagedPolicy(title, Path=PATH, Description=description, PolicyDocument=document(*statements), **more)


def role(title: str, *policies: AWSHelperFn, assumed_by: str, only_for: Condition | None = None, **more: Any) -> Role:
    """Make a role that one service, and nobody else, assumes; within the boundary, if there is one."""
    trust = Statement(Effect=Allow, Principal=Principal("Service", assumed_by), Action=[AssumeRole])
    if only_for:
        trust.Condition = only_for
    return Role(
        title,
        Path=PATH,
        AssumeRolePolicyDocument=document(trust),
        ManagedPolicyArns=list(policies),
        PermissionsBoundary=when(HAS_BOUNDARY, Ref(PERMISSIONS_BOUNDARY_ARN)),
        **more,
    )
