"""The whole system on one page."""

from collections.abc import Iterable, Sequence

from awacs import dynamodb
from troposphere import AWSObject, GetAtt, NoValue, Output, Ref, Template
from troposphere.dynamodb import Table
from troposphere.serverless import SERVERLESS_TRANSFORM

from . import conditions, parameters, policy, storage
from .files import files
from .stages import deployment
from .stages.function import Component, pipeline
from .stages.stage import Stage
from .storage import DeadLetters
from .tags import tag
from .watching import alarms
from .watching.dashboard import dashboard
from .watching.notifications import notifications

DESCRIPTION = (
    "Serverless data processing: records pass from the validator to the enricher to the processor, which stores each "
    "exactly once; what fails for good waits in a dead-letter queue"
)


def build() -> Template:
    """Describe the stack: what it stores, its stages from the first to the last, and what watches them."""
    table = storage.data_table()
    dead_letters = storage.dead_letters()
    stages = pipeline(
        Stage(
            "validator",
            description="Checks each record, and stamps the time on one that has none",
            memory=512,
            # A record that is refused once is refused always.
            retries=0,
        ),
        Stage(
            "enricher",
            description="Marks each record as enriched, when and by which version",
            memory=768,
        ),
        Stage(
            "processor",
            description="Stores each record exactly once",
            memory=512,
            calls=[
                policy.allow(dynamodb.PutItem, dynamodb.PartiQLInsert, on=GetAtt(table, "Arn")),
                policy.use_key("dynamodb"),
            ],
            environment={"TABLE_NAME": Ref(table), "AWS_ENDPOINT_URL_DYNAMODB": NoValue},  # the latter: see function.py
            provisioned=2,
            capped=True,
        ),
        dead_letters=dead_letters.queue,
    )
    return assemble(table, dead_letters, stages)


def assemble(table: Table, dead_letters: DeadLetters, stages: Sequence[Component], *others: AWSObject) -> Template:
    """Put together what is stored, the stages, all that follows from them, and what else a project has."""
    choices = parameters.in_groups(
        [*parameters.ALL, *(choice for stage in stages for choice in stage.capacity.parameters)]
    )
    read = files(stages[0], table=table, dead_letters=dead_letters.queue)
    template = Template(Description=DESCRIPTION)
    template.set_version()
    template.set_transform(SERVERLESS_TRANSFORM)
    template.set_metadata({"AWS::CloudFormation::Interface": parameters.interface(choices)})
    for name, rule in parameters.RULES.items():
        template.add_rule(name, rule)
    for choice in choices:
        template.add_parameter(choice)
    for defined in (conditions.ALL, *(stage.capacity.conditions for stage in stages)):
        for name, condition in defined.items():
            template.add_condition(name, condition)
    _add(
        template,
        [table, *dead_letters],
        *(stage.resources for stage in stages),
        read.resources,
        others,
        [deployment.role()],
        alarms.on_dead_letters(dead_letters.queue),
        *(stage.alarms for stage in stages),
        read.alarms,
        [*alarms.on_table(table), alarms.on_dependencies(), alarms.on_refusals(stages[0].stage)],
        notifications(),
        [dashboard(stages, table=table, dead_letters=dead_letters.queue), read.dashboard],
    )
    template.add_output(
        [
            Output("TableName", Description="Table of the stored records", Value=Ref(table)),
            Output("DlqUrl", Description="URL of the dead-letter queue", Value=Ref(dead_letters.queue)),
            Output("DlqArn", Description="ARN of the dead-letter queue", Value=GetAtt(dead_letters.queue, "Arn")),
            *(output(stage) for stage in stages for output in (_alias_output, _role_output)),
            *read.outputs,
        ]
    )
    return template


def _add(template: Template, *groups: Iterable[AWSObject]) -> None:
    """Add the resources, tagged: the one place where the template gets any."""
    for group in groups:
        for resource in group:
            tag(resource)
            resource.template = template  # where a function finds what it refers to
            template.add_resource(resource)


def _alias_output(stage: Component) -> Output:
    """Name the alias, not the function, so that callers reach the published and warmed version."""
    title = stage.function.title
    return Output(f"{title}Arn", Description=f"ARN of the alias of {title}", Value=stage.function.alias)


def _role_output(stage: Component) -> Output:
    """Name the role by its id, which is how SQS says who sent a dead letter."""
    title = stage.role.title
    return Output(f"{title}Id", Description=f"Unique id of {title}", Value=GetAtt(stage.role, "RoleId"))
