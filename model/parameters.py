"""What is chosen at deployment.

Parameters hold deploy-time choices only. SAM does not publish a new version when the value of a parameter changes
(serverless-application-model#3820), so none of them feeds a property that a published version carries, except those
that do not change in the life of a stack: the suffix, the architecture and the key.
"""

from typing import Any

from troposphere import AWSHelperFn, Parameter, Sub

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

ENVIRONMENT_SUFFIX = Parameter(
    "EnvironmentSuffix",
    Type="String",
    Default="dev",
    Description="Names the environment; part of the functions' names, so one account can hold several",
    AllowedPattern="^[a-z][a-z0-9-]{0,19}$",
    ConstraintDescription="must be 1 to 20 lower-case letters, digits and hyphens, the first a letter",
)

ARCHITECTURE = Parameter(
    "Architecture",
    Type="String",
    Default="arm64",
    Description="Instruction set of the functions; x86_64 for sam local on an x86 machine",
    AllowedValues=["arm64", "x86_64"],
    ConstraintDescription="must be arm64 or x86_64",
)

PROCESSOR_PROVISIONED_CONCURRENCY = Parameter(
    "ProcessorProvisionedConcurrency",
    Type="Number",
    Default=2,
    Description="Instances of the processor that are kept warm; 0 for none, which costs nothing when idle",
    MinValue=0,
    ConstraintDescription="must be a whole number, 0 for none",
)

LOG_RETENTION_DAYS = Parameter(
    "LogRetentionDays",
    Type="Number",
    Default=7,
    Description="Days for which the functions' logs are kept",
    AllowedValues=list(RETENTION_DAYS),
    ConstraintDescription="must be a retention that CloudWatch Logs offers, such as 1, 7, 30, 90 or 365 days",
)

PROCESSOR_PROVISIONED_CONCURRENCY_MAXIMUM = Parameter(
    "ProcessorProvisionedConcurrencyMaximum",
    Type="Number",
    Default=0,
    Description="Above ProcessorProvisionedConcurrency: autoscaling keeps from that to this number warm; 0 for none",
    MinValue=0,
    ConstraintDescription="must be a whole number, 0 for no autoscaling",
)

RESERVED_CONCURRENCY = Parameter(
    "ReservedConcurrency",
    Type="Number",
    Default=0,
    Description="Most instances that each function may have, taken from the account's quota; 0 for no limit of its own",
    MinValue=0,
    ConstraintDescription="must be a whole number, 0 for no limit",
)

PROCESSOR_RESERVED_CONCURRENCY = Parameter(
    "ProcessorReservedConcurrency",
    Type="Number",
    Default=0,
    Description="Most instances of the processor, so that batches cannot overrun the table; 0 for ReservedConcurrency",
    MinValue=0,
    ConstraintDescription="must be a whole number, 0 for the same as ReservedConcurrency",
)

GRADUAL_DEPLOYMENT = Parameter(
    "GradualDeployment",
    Type="String",
    Default="false",
    Description="Whether CodeDeploy shifts traffic to a new version step by step, and back when an alarm goes off",
    AllowedValues=["true", "false"],
    ConstraintDescription="must be true or false",
)

DEPLOYMENT_TYPE = Parameter(
    "DeploymentType",
    Type="String",
    Default="Canary10Percent5Minutes",
    Description="How traffic shifts when GradualDeployment is true",
    # https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    AllowedValues=[
        "AllAtOnce",
        *(f"Canary10Percent{minutes}Minutes" for minutes in (5, 10, 15, 30)),
        *(
            f"Linear10PercentEvery{minutes}Minute{plural}"
            for minutes, plural in ((1, ""), (2, "s"), (3, "s"), (10, "s"))
        ),
    ],
    ConstraintDescription="must be a deployment configuration of CodeDeploy for Lambda, without its prefix",
)

ALARM_EMAIL = Parameter(
    "AlarmEmail",
    Type="String",
    Default="",
    Description="Address that gets the alarms, after it has confirmed the subscription; empty for none",
    AllowedPattern=r"^$|^[^\s@]+@[^\s@]+\.[^\s@]+$",
    ConstraintDescription="must be an e-mail address, or empty",
)

ALARM_TOPIC_ARN = Parameter(
    "AlarmTopicArn",
    Type="String",
    Default="",
    Description="ARN of an existing SNS topic that gets the alarms; empty for none",
    AllowedPattern=r"^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$",
    ConstraintDescription="must be the ARN of an SNS topic (arn:aws:sns:us-east-1:123456789012:alarms), or empty",
)

KMS_KEY_ARN = Parameter(
    "KmsKeyArn",
    Type="String",
    Default="",
    Description="ARN of a KMS key of yours for table, queue, logs, variables and topic; empty for AWS's own",
    AllowedPattern=r"^$|^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f-]{36})$",
    ConstraintDescription="must be the ARN of a KMS key (of the key, not of an alias), or empty",
)

PROTECT_DATA = Parameter(
    "ProtectData",
    Type="String",
    Default="false",
    Description="Whether the table refuses to be deleted, by whomever",
    AllowedValues=["true", "false"],
    ConstraintDescription="must be true or false",
)

# As the console shows them, with a label for each.
GROUPS = {
    "Environment": {
        ENVIRONMENT_SUFFIX: "Environment",
        ARCHITECTURE: "Instruction set",
        LOG_RETENTION_DAYS: "Days to keep logs",
    },
    "Speed and limits": {
        PROCESSOR_PROVISIONED_CONCURRENCY: "Warm instances of the processor",
        PROCESSOR_PROVISIONED_CONCURRENCY_MAXIMUM: "Warm instances at most",
        RESERVED_CONCURRENCY: "Instances of each function at most",
        PROCESSOR_RESERVED_CONCURRENCY: "Instances of the processor at most",
    },
    "Deployment": {
        GRADUAL_DEPLOYMENT: "Shift traffic gradually",
        DEPLOYMENT_TYPE: "How to shift it",
    },
    "Alarms": {
        ALARM_EMAIL: "E-mail address",
        ALARM_TOPIC_ARN: "Existing topic",
    },
    "Data": {
        KMS_KEY_ARN: "Encryption key",
        PROTECT_DATA: "Protect the table from deletion",
    },
}
ALL = tuple(parameter for group in GROUPS.values() for parameter in group)


def suffixed(name: str) -> AWSHelperFn:
    """Name a thing for its environment: `validator` becomes `validator-dev`."""
    return Sub(f"{name}-${{{ENVIRONMENT_SUFFIX.title}}}")


def interface() -> dict[str, Any]:
    """Describe the parameters' groups and labels to CloudFormation's console."""
    return {
        "ParameterGroups": [
            {"Label": {"default": name}, "Parameters": [parameter.title for parameter in group]}
            for name, group in GROUPS.items()
        ],
        "ParameterLabels": {
            parameter.title: {"default": label} for group in GROUPS.values() for parameter, label in group.items()
        },
    }
