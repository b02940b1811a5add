"""What is chosen at deployment, and the conditions that follow from it.

Parameters hold deploy-time choices only. SAM does not publish a new version when the value of a parameter changes
(serverless-application-model#3820), so none of them feeds a property that a published version carries, except those
that do not change in the life of a stack: the suffix and the architecture.
"""

from troposphere import AWSHelperFn, Equals, Not, Parameter, Ref, Sub

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

ALL = (ENVIRONMENT_SUFFIX, ARCHITECTURE, PROCESSOR_PROVISIONED_CONCURRENCY, LOG_RETENTION_DAYS)

PROCESSOR_IS_PROVISIONED = "ProcessorIsProvisioned"

# 0 is no valid provisioned concurrency: the property has to be absent.
CONDITIONS = {PROCESSOR_IS_PROVISIONED: Not(Equals(Ref(PROCESSOR_PROVISIONED_CONCURRENCY), 0))}


def suffixed(name: str) -> AWSHelperFn:
    """Name a thing for its environment: `validator` becomes `validator-dev`."""
    return Sub(f"{name}-${{{ENVIRONMENT_SUFFIX.title}}}")
