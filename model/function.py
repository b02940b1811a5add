"""The reusable Lambda component: what one stage of the pipeline consists of, from its log group to its alias."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from awacs import awslambda, logs, sqs
from awacs.aws import PolicyDocument, Statement
from troposphere import AWSHelperFn, GetAtt, NoValue, Ref
from troposphere.awslambda import Environment
from troposphere.cloudwatch import Alarm
from troposphere.iam import ManagedPolicy, Role
from troposphere.logs import LogGroup, MetricFilter
from troposphere.serverless import (
    DeadLetterQueue,
    DestinationConfiguration,
    EventInvokeConfiguration,
    OnSuccess,
)
from troposphere.sqs import Queue

from . import alarms, parameters, policy, sam
from .conditions import CONCURRENCY_IS_RESERVED, DEPLOYS_GRADUALLY, HAS_KEY, when

RUNTIME = "python3.13"
CODE = "functions/"
ALIAS = "live"
TIMEOUT = 60  # seconds
# The longest that Lambda offers: an event waits through an outage of six hours before it becomes a dead letter.
MAXIMUM_EVENT_AGE = 6 * 60 * 60  # seconds
SMALLEST, LARGEST, STEP = 128, 10240, 64  # MB


class Component(NamedTuple):
    """The resources of one stage, in creation order; the alarms last, since they watch the others."""

    log_group: LogGroup
    policy: ManagedPolicy
    role: Role
    function: sam.Function
    alarms: tuple[MetricFilter | Alarm, ...]


def function(
    name: str,
    *,
    description: str,
    memory: int,
    dead_letters: Queue,
    retries: int = 2,
    next_stage: Component | None = None,
    calls: Sequence[Statement] = (),
    environment: Mapping[str, AWSHelperFn | str] | None = None,
    provisioned_concurrency: AWSHelperFn | None = None,
) -> Component:
    """Build one stage of the pipeline.

    Args:
        name: Lower-case name of the stage and of its module in functions/.
        description: What the function does, a sentence without its full stop.
        memory: MB.
        dead_letters: Where Lambda puts the events that the function failed on for good.
        retries: Attempts after the first; 0 where a failure is final.
        next_stage: What Lambda invokes with each result.
        calls: What the function itself may call, beyond its logs and traces.
        environment: The function's environment variables.
        provisioned_concurrency: A `ProvisionedConcurrencyConfiguration`, or a condition around one.

    Raises:
        ValueError: the name is no single word, or the memory no size that the model offers.
    """
    _check_name(name)
    _check_memory(name, memory)
    stage = name.capitalize()
    log_group = LogGroup(
        f"{stage}LogGroup",
        # A group that outlived the stack would keep its name from the next one.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        # By its literal name: derived from the function's, it would depend on the function that depends on it.
        LogGroupName=parameters.suffixed(f"/aws/lambda/{name}"),
        RetentionInDays=Ref(parameters.LOG_RETENTION_DAYS),
        KmsKeyId=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
    )
    rights = ManagedPolicy(
        f"{stage}Policy",
        Description=f"What the {name} calls, and nothing else",
        PolicyDocument=_rights(log_group, dead_letters, next_stage, calls),
    )
    role = Role(
        f"{stage}Role",
        AssumeRolePolicyDocument=policy.assumed_by_lambda(),
        ManagedPolicyArns=[Ref(rights)],
    )
    code = sam.Function(
        f"{stage}Function",
        FunctionName=parameters.suffixed(name),
        Description=description,
        Handler=f"{name}.handler",
        Runtime=RUNTIME,
        CodeUri=CODE,
        Architectures=[Ref(parameters.ARCHITECTURE)],
        MemorySize=memory,
        Timeout=TIMEOUT,
        **_given(Environment=environment and Environment(Variables=dict(environment))),
        KmsKeyArn=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
        Role=GetAtt(role, "Arn"),
        AutoPublishAlias=ALIAS,
        AutoPublishAliasAllProperties=True,
        **_given(ProvisionedConcurrencyConfig=provisioned_concurrency),
        ReservedConcurrentExecutions=when(CONCURRENCY_IS_RESERVED, Ref(parameters.RESERVED_CONCURRENCY)),
        EventInvokeConfig=_event_invoke(retries, next_stage),
        DeadLetterQueue=DeadLetterQueue(Type="SQS", TargetArn=GetAtt(dead_letters, "Arn")),
        LoggingConfig=_logging(log_group),
        Tracing="Active",
        PropagateTags=True,
    )
    watch = alarms.on_stage(
        name, code, log_group, timeout=TIMEOUT, event_age=MAXIMUM_EVENT_AGE, hands_on=next_stage is not None
    )
    code.DeploymentPreference = _deployment(watch.rollbacks)
    return Component(log_group, rights, role, code, watch.resources)


def pipeline(*stages: Callable[..., Component]) -> tuple[Component, ...]:
    """Build stages that hand their results on, each to the one after it; they need no more than `next_stage`."""
    built: list[Component] = []
    for stage in reversed(stages):
        built.insert(0, stage(next_stage=built[0] if built else None))
    return tuple(built)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,39}", name):
        raise ValueError(
            f"the name of a stage must be one word of at most 40 lower-case letters and digits (got '{name}')"
        )


def _check_memory(name: str, memory: int) -> None:
    if memory % STEP or not SMALLEST <= memory <= LARGEST:
        raise ValueError(
            f"memory of '{name}' must be a multiple of {STEP} MB from {SMALLEST} to {LARGEST} (got {memory})"
        )


def _rights(
    log_group: LogGroup, dead_letters: Queue, next_stage: Component | None, calls: Sequence[Statement]
) -> PolicyDocument:
    """Allow what Lambda does in the function's name (log, trace, send its results on) and what its code calls.

    With a role of one's own SAM adds no permission, and Lambda drops without a word what the role may not send.
    """
    return policy.document(
        policy.allow(logs.CreateLogStream, logs.PutLogEvents, on=GetAtt(log_group, "Arn")),
        policy.TRACE,
        policy.allow(sqs.SendMessage, on=GetAtt(dead_letters, "Arn")),
        policy.use_key(),
        *([policy.allow(awslambda.InvokeFunction, on=next_stage.function.alias)] if next_stage else []),
        *calls,
    )


def _event_invoke(retries: int, next_stage: Component | None) -> EventInvokeConfiguration:
    """Say what Lambda does with an event after the function: it belongs to the alias, so only its callers get it."""
    return EventInvokeConfiguration(
        MaximumRetryAttempts=retries,
        MaximumEventAgeInSeconds=MAXIMUM_EVENT_AGE,
        **_given(
            DestinationConfig=next_stage
            and DestinationConfiguration(OnSuccess=OnSuccess(Type="Lambda", Destination=next_stage.function.alias))
        ),
    )


def _deployment(rollbacks: Sequence[Alarm]) -> sam.DeploymentPreference:
    """Shift traffic to a new version by CodeDeploy, where that is chosen, and back when an alarm goes off."""
    return sam.DeploymentPreference(
        # SAM resolves a parameter here, but takes any other intrinsic function in Enabled for true.
        Enabled=Ref(parameters.GRADUAL_DEPLOYMENT),
        Type=Ref(parameters.DEPLOYMENT_TYPE),
        # The functions have no condition; without this word every sam command grumbles about a feature toggle.
        PassthroughCondition=False,
        Alarms=when(DEPLOYS_GRADUALLY, [Ref(alarm) for alarm in rollbacks], otherwise=[NoValue]),
    )


def _logging(log_group: LogGroup) -> sam.LoggingConfig:
    """Log as JSON, without the start, end and report lines, which would cost more than the function's run time."""
    return sam.LoggingConfig(
        LogFormat="JSON",
        ApplicationLogLevel="INFO",
        SystemLogLevel="WARN",
        LogGroup=Ref(log_group),
    )


def _given(**properties: Any) -> dict[str, Any]:
    """Leave out the properties that have no value."""
    return {name: value for name, value in properties.items() if value is not None}
