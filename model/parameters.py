"""What is chosen at deployment.

Parameters hold deploy-time choices only. SAM does not publish a new version when the value of a parameter changes
(serverless-application-model#3820), so none of them feeds a property that a published version carries, except those
that do not change in the life of a stack: the suffix, the architecture and the key. `DeploymentAttempt` is one on
purpose: see `sam.Function`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from troposphere import AWSHelperFn, Not, Parameter, Ref, Sub

from . import project

# The groups of CloudFormation's console, in its order.
ENVIRONMENT = "Environment"
SPEED = "Speed and limits"
DEPLOYMENT = "Deployment"
ALARMS = "Alarms"
DATA = "Data"
GROUPS = (ENVIRONMENT, SPEED, DEPLOYMENT, ALARMS, DATA)


class Choice(Parameter):
    """A parameter, with its place in the console. Its type is that of its default."""

    def __init__(
        self, title: str, default: int | str = "", *, group: str, label: str, description: str, must: str, **limits: Any
    ) -> None:
        self.group, self.label = group, label
        usual = {"Type": "Number" if isinstance(default, int) else "String", "Default": default}
        super().__init__(title, **usual, Description=description, **limits, ConstraintDescription=f"must be {must}")


def count(title: str, default: int = 0, *, zero: str, **shown: str) -> Choice:
    """Offer a number of instances, of which 0 has a meaning of its own."""
    return Choice(title, default, MinValue=0, must=f"a whole number, 0 for {zero}", **shown)


def _switch(title: str, **shown: str) -> Choice:
    return Choice(title, "false", AllowedValues=["true", "false"], must="true or false", **shown)


ENVIRONMENT_SUFFIX = Choice(
    "EnvironmentSuffix",
    "dev",
    group=ENVIRONMENT,
    label="Environment",
    description="Names the environment; part of the functions' names, so one account can hold several",
    # Without hyphens, so that no environment's names match the pattern of another's.
    AllowedPattern=f"^[a-z][a-z0-9]{{0,{project.LONGEST_SUFFIX - 1}}}$",
    must=f"1 to {project.LONGEST_SUFFIX} lower-case letters and digits, the first a letter",
)

ARCHITECTURE = Choice(
    "Architecture",
    "arm64",
    group=ENVIRONMENT,
    label="Instruction set",
    description="Instruction set of the functions; x86_64 for sam local on an x86 machine",
    AllowedValues=["arm64", "x86_64"],
    must="arm64 or x86_64",
)

LOG_RETENTION_DAYS = Choice(
    "LogRetentionDays",
    7,
    group=ENVIRONMENT,
    label="Days to keep logs",
    description="Days for which the functions' logs are kept",
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    AllowedValues=[
        *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
        *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
    ],
    must="a retention that CloudWatch Logs offers, such as 1, 7, 30, 90 or 365 days",
)

RESERVED_CONCURRENCY = count(
    "ReservedConcurrency",
    group=SPEED,
    label="Instances of each function at most",
    description="Most instances that each function may have, taken from the account's quota; 0 for no limit of its own",
    zero="no limit",
)

GRADUAL_DEPLOYMENT = _switch(
    "GradualDeployment",
    group=DEPLOYMENT,
    label="Shift traffic gradually",
    description="Whether CodeDeploy shifts traffic to a new version step by step, and back when an alarm goes off",
)

DEPLOYMENT_TYPE = Choice(
    "DeploymentType",
    "Canary10Percent5Minutes",
    group=DEPLOYMENT,
    label="How to shift it",
    description="How traffic shifts when GradualDeployment is true",
    # https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    AllowedValues=[
        "AllAtOnce",
        *(f"Canary10Percent{minutes}Minutes" for minutes in (5, 10, 15, 30)),
        *(f"Linear10PercentEvery{interval}" for interval in ("1Minute", "2Minutes", "3Minutes", "10Minutes")),
    ],
    must="a deployment configuration of CodeDeploy for Lambda, without its prefix",
)

DEPLOYMENT_ATTEMPT = Choice(
    "DeploymentAttempt",
    1,
    group=DEPLOYMENT,
    label="Attempt",
    description="Another number lets a deployment that was rolled back be repeated as it is",
    MinValue=1,
    must="a whole number from 1 on",
)

PERMISSIONS_BOUNDARY_ARN = Choice(
    "PermissionsBoundaryArn",
    group=DEPLOYMENT,
    label="Permissions boundary",
    description="ARN of a policy that bounds what the stack's roles may do; empty for none",
    AllowedPattern=r"^$|^arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]+$",
    must="the ARN of an IAM policy, or empty",
)

ALARM_EMAIL = Choice(
    "AlarmEmail",
    group=ALARMS,
    label="E-mail address",
    description="Address that gets the alarms, after it has confirmed the subscription; empty for none",
    AllowedPattern=r"^$|^[^\s@]+@[^\s@]+\.[^\s@]+$",
    must="an e-mail address, or empty",
)

ALARM_TOPIC_ARN = Choice(
    "AlarmTopicArn",
    group=ALARMS,
    label="Existing topic",
    description="ARN of an existing SNS topic that gets the alarms; empty for none",
    AllowedPattern=r"^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$",
    must="the ARN of an SNS topic (arn:aws:sns:us-east-1:123456789012:alarms), or empty",
)

KMS_KEY_ARN = Choice(
    "KmsKeyArn",
    group=DATA,
    label="Encryption key",
    description="ARN of a KMS key of yours for table, queues, logs, variables, files and topic; empty for AWS's own. "
    "Choose it before the stack is made: what was written under a key stays encrypted with it",
    AllowedPattern=r"^$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})$",
    must="the ARN of a KMS key (of the key, not of an alias), or empty",
)

PROTECT_DATA = _switch(
    "ProtectData",
    group=DATA,
    label="Protect the table from deletion",
    description="Whether the table refuses to be deleted, by whomever",
)

FILES_BUCKET = _switch(
    "FilesBucket",
    group=DATA,
    label="Read files from a bucket",
    description="Whether there is a bucket whose files are read into the pipeline, one record a line. Set back to "
    "false, the bucket stays and nothing reads it",
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Choice))
"""The choices for the whole stack; a stage may have more of its own."""


RESERVED = ("boundary", "deployment")  # by which .github/deployment-role.yaml names what it makes
_SUFFIX_IS_FREE = {
    "Assert": Not({"Fn::Contains": [list(RESERVED), Ref(ENVIRONMENT_SUFFIX)]}),
    "AssertDescription": f"EnvironmentSuffix must not be {' or '.join(RESERVED)}",
}
RULES = {"EnvironmentSuffixIsFree": {"Assertions": [_SUFFIX_IS_FREE]}}
"""What CloudFormation checks beyond each parameter's own constraints, before it makes anything."""


def suffixed(*parts: str, path: str = "", end: str = "") -> AWSHelperFn:
    """Name a thing for the project and its environment: `validator` becomes `NAME-validator-dev`."""
    return Sub(path + "-".join([project.NAME, *parts, f"${{{ENVIRONMENT_SUFFIX.title}}}"]) + end)


def in_groups(choices: Iterable[Choice]) -> list[Choice]:
    """Sort choices by their groups, as the console shows them."""
    return sorted(choices, key=lambda choice: GROUPS.index(choice.group))


def interface(choices: Sequence[Choice]) -> dict[str, Any]:
    """Describe the parameters' groups and labels to CloudFormation's console."""
    return {
        "ParameterGroups": [
            {"Label": {"default": group}, "Parameters": [choice.title for choice in choices if choice.group == group]}
            for group in GROUPS
        ],
        "ParameterLabels": {choice.title: {"default": choice.label} for choice in choices},
    }
