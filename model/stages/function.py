"""The reusable Lambda component: what one stage of the pipeline consists of, from its log group to its alias."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from awacs import awslambda, logs, sqs
from awacs.aws import Statement
from troposphere import AWSHelperFn, AWSObject, GetAtt, NoValue, Ref
from troposphere.awslambda import Environment
from troposphere.cloudwatch import Alarm
from troposphere.iam import ManagedPolicy, Role
from troposphere.logs import LogGroup, MetricFilter
from troposphere.serverless import DeadLetterQueue, DestinationConfiguration, EventInvokeConfiguration, OnSuccess
from troposphere.sqs import Queue

from model import parameters, policy

from ..conditions import HAS_KEY, when
from ..watching import alarms
from . import deployment, sam
from .capacity import Capacity, capacity
from .scaling import scaling
from .stage import Stage

RUNTIME = "python3.13"
CODE = "functions/"
PACKAGES = Path(__file__).resolve().parents[2] / CODE / "requirements.txt"
BY_MAKE = {"BuildMethod": "makefile"}  # functions/Makefile installs packages with any Python; SAM wants the runtime's
ALIAS = "live"
# The longest that Lambda offers: an event waits through an outage of six hours before it becomes a dead letter.
MAXIMUM_EVENT_AGE = 6 * 60 * 60  # seconds

# `sam local` passes on only what a template declares; CloudFormation leaves these out. See events/env.json.
FOR_SAM_LOCAL = {"AWS_ENDPOINT_URL_SQS": NoValue, "AWS_CA_BUNDLE": NoValue}


class Component(NamedTuple):
    """A stage as it is built: its resources in creation order, the alarms last, since they watch the others."""

    stage: Stage
    capacity: Capacity
    log_group: LogGroup
    policy: ManagedPolicy
    role: Role
    right_to_hand_on: ManagedPolicy | None
    function: sam.Function
    scaling: tuple[AWSObject, ...]
    alarms: tuple[MetricFilter | Alarm, ...]

    @property
    def resources(self) -> tuple[AWSObject, ...]:
        """All but the alarms."""
        handing_on = (self.right_to_hand_on,) if self.right_to_hand_on else ()
        return (self.log_group, self.policy, self.role, *handing_on, self.function, *self.scaling)


def pipeline(*stages: Stage, dead_letters: Queue) -> tuple[Component, ...]:
    """Build stages, from the first to the last; each hands its results on to the next one that is not retired.

    Lambda puts the events that a function failed on for good into `dead_letters`.

    Raises:
        ValueError: two stages have the same name.
    """
    name, times = Counter(stage.name for stage in stages).most_common(1)[0]
    if times > 1:
        raise ValueError(f"each stage of the pipeline must have a name of its own (got '{name}' {times} times)")
    built: list[Component] = []
    next_stage = None
    for stage in reversed(stages):
        built.insert(0, component(stage, next_stage, dead_letters))
        next_stage = next_stage if stage.retired else built[0]
    return tuple(built)


def component(stage: Stage, next_stage: Component | None, dead_letters: Queue) -> Component:
    """Build one stage, which hands its results on to another one or to none."""
    log_group = LogGroup(
        f"{stage.title}LogGroup",
        # A group that outlived the stack would keep its name from the next one.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        # By its literal name: derived from the function's, it would depend on the function that depends on it.
        LogGroupName=parameters.suffixed(stage.name, path="/aws/lambda/"),
        RetentionInDays=Ref(parameters.LOG_RETENTION_DAYS),
        KmsKeyId=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
    )
    rights = policy.managed(
        f"{stage.title}Policy",
        *_rights(stage, log_group, dead_letters),
        description=f"What the {stage.name} calls, and nothing else",
    )
    role = policy.role(f"{stage.title}Role", Ref(rights), assumed_by="lambda.amazonaws.com")
    right_to_hand_on = next_stage and _right_to_hand_on(stage, role, next_stage)
    instances = capacity(stage)
    warm = instances.provisioned
    code = sam.Function(
        f"{stage.title}Function",
        **_given(DependsOn=right_to_hand_on and right_to_hand_on.title),
        FunctionName=parameters.suffixed(stage.name),
        Description=stage.description,
        Handler=f"{stage.name}.handler",
        Runtime=RUNTIME,
        CodeUri=CODE,
        Architectures=[Ref(parameters.ARCHITECTURE)],
        MemorySize=stage.memory,
        Timeout=stage.timeout,
        # A refused record of a batch becomes a dead letter of its own, which the function sends.
        Environment=Environment(
            Variables={"DEAD_LETTER_QUEUE_URL": Ref(dead_letters), **FOR_SAM_LOCAL, **stage.environment}
        ),
        KmsKeyArn=when(HAS_KEY, Ref(parameters.KMS_KEY_ARN)),
        Role=GetAtt(role, "Arn"),
        AutoPublishAlias=ALIAS,
        **_given(Metadata=BY_MAKE if PACKAGES.exists() else None),
        AutoPublishAliasAllProperties=True,
        **_given(ProvisionedConcurrencyConfig=instances.kept_warm),
        ReservedConcurrentExecutions=instances.reserved,
        **_given(RecursiveLoop="Allow" if stage.invokes_itself else None),
        **{} if stage.polled else _invoked(stage, next_stage, dead_letters),
        # Without the start, end and report lines, which would cost more than the function's run time.
        LoggingConfig=sam.LoggingConfig(
            LogFormat="JSON", ApplicationLogLevel="INFO", SystemLogLevel="WARN", LogGroup=Ref(log_group)
        ),
        Tracing="Active",
        PropagateTags=True,
    )
    watch = alarms.on_stage(stage, code, log_group, event_age=MAXIMUM_EVENT_AGE, hands_on=next_stage is not None)
    if stage.gradual:
        code.DeploymentPreference = deployment.preference(watch.rollbacks)
    return Component(
        stage,
        instances,
        log_group,
        rights,
        role,
        right_to_hand_on,
        code,
        scaling=scaling(stage.name, code, warm) if warm else (),
        alarms=(*watch.resources, *([alarms.on_provisioned_concurrency(stage.name, code, warm)] if warm else [])),
    )


def _rights(stage: Stage, log_group: LogGroup, dead_letters: Queue) -> list[Statement | AWSHelperFn]:
    """Allow what Lambda does in the function's name (log, trace, send dead letters) and what its code calls.

    With a role of one's own SAM adds no permission, and Lambda drops without a word what the role may not send.
    """
    return [
        policy.allow(logs.CreateLogStream, logs.PutLogEvents, on=GetAtt(log_group, "Arn")),
        policy.TRACE,
        policy.allow(sqs.SendMessage, on=GetAtt(dead_letters, "Arn")),
        policy.use_key("lambda", "sqs"),
        *stage.calls,
    ]


def _right_to_hand_on(stage: Stage, role: Role, next_stage: Component) -> ManagedPolicy:
    """Allow Lambda to invoke the next stage with the results of a stage.

    The right is a resource of its own, named for both ends: where another stage comes next, CloudFormation makes the
    new right before the settings that use it, and takes the old one away when nothing uses it any more. In the stage's
    policy, which is updated first of all, the old right would be gone while results were still sent by it.
    """
    return policy.managed(
        f"{stage.title}Invokes{next_stage.stage.title}",
        policy.allow(awslambda.InvokeFunction, on=next_stage.function.alias),
        description=f"The {stage.name} hands its results on to the {next_stage.stage.name}",
        # A stage that gets results before its own settings are made would drop what it makes of them.
        DependsOn=next_stage.function.event_invoke_title,
        Roles=[Ref(role)],
    )


def _invoked(stage: Stage, next_stage: Component | None, dead_letters: Queue) -> dict[str, Any]:
    """Say what Lambda does with an event after the function. That belongs to the alias, so only its callers get it."""
    handed_on = next_stage and OnSuccess(Type="Lambda", Destination=next_stage.function.alias)
    settings = EventInvokeConfiguration(
        MaximumRetryAttempts=stage.retries,
        MaximumEventAgeInSeconds=MAXIMUM_EVENT_AGE,
        **_given(DestinationConfig=handed_on and DestinationConfiguration(OnSuccess=handed_on)),
    )
    letters = DeadLetterQueue(Type="SQS", TargetArn=GetAtt(dead_letters, "Arn"))
    return {"EventInvokeConfig": settings, "DeadLetterQueue": letters}


def _given(**properties: Any) -> dict[str, Any]:
    """Leave out the properties that have no value."""
    return {name: value for name, value in properties.items() if value is not None}
