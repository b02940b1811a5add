"""IAM statements that can only be as narrow as they are written."""

from awacs import xray
from awacs.aws import Action, Allow, Bool, Condition, Deny, PolicyDocument, Principal, SecureTransport, Statement
from awacs.sts import AssumeRole
from troposphere import AWSHelperFn

VERSION = "2012-10-17"

# X-Ray's write actions have no resource type, so "*" is the only resource that they can be allowed on:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
TRACE = Statement(Effect=Allow, Action=[xray.PutTraceSegments, xray.PutTelemetryRecords], Resource=["*"])


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


def deny_plain_http(service: str, on: AWSHelperFn) -> Statement:
    """Deny every action of a service on a resource to whoever calls without TLS."""
    return Statement(
        Effect=Deny,
        Principal=Principal("*"),
        Action=[Action(service, "*")],
        Resource=[on],
        Condition=Condition(Bool(SecureTransport, "false")),
    )


def document(*statements: Statement) -> PolicyDocument:
    """Gather statements into a policy of the current language version, which awacs leaves out by itself."""
    return PolicyDocument(Version=VERSION, Statement=list(statements))


def assumed_by_lambda() -> PolicyDocument:
    """Let Lambda, and nobody else, assume the role."""
    return document(
        Statement(Effect=Allow, Principal=Principal("Service", "lambda.amazonaws.com"), Action=[AssumeRole])
    )
