"""The whole system on one page."""

from collections.abc import Iterable
from functools import partial

from awacs import dynamodb
from troposphere import AWSObject, GetAtt, NoValue, Output, Ref, Template
from troposphere.awslambda import ProvisionedConcurrencyConfiguration
from troposphere.serverless import SERVERLESS_TRANSFORM

from . import alarms, conditions, parameters, policy, storage
from .conditions import PROCESSOR_IS_PROVISIONED, when
from .dashboard import CONSOLE, CONSOLES, dashboard
from .function import Component, function, pipeline
from .notifications import notifications
from .scaling import scaling
from .tags import tag

DESCRIPTION = (
    "Serverless data processing: records pass from the validator to the enricher to the processor, which stores each "
    "exactly once; what fails for good waits in a dead-letter queue"
)

# `sam local` passes on only what a template declares; CloudFormation leaves these out. See events/env.json.
FOR_SAM_LOCAL = {"AWS_ENDPOINT_URL_DYNAMODB": NoValue, "AWS_CA_BUNDLE": NoValue}


def build() -> Template:
    """Describe the stack: what it stores, its stages from the first to the last, and what watches them."""
    table = storage.data_table()
    dead_letters = storage.dead_letters()
    stage = partial(function, dead_letters=dead_letters.queue)

    stages = pipeline(
        partial(
            stage,
            "validator",
            description="Checks each record, and stamps the time on one that has none",
            memory=512,
            # A record that is refused once is refused always.
            retries=0,
        ),
        partial(
            stage,
            "enricher",
            description="Marks each record as enriched, when and by which version",
            memory=768,
        ),
        partial(
            stage,
            "processor",
            description="Stores each record exactly once",
            memory=512,
            calls=[policy.allow(dynamodb.PutItem, on=GetAtt(table, "Arn"))],
            environment={"TABLE_NAME": Ref(table), **FOR_SAM_LOCAL},
            provisioned_concurrency=when(
                PROCESSOR_IS_PROVISIONED,
                ProvisionedConcurrencyConfiguration(
                    ProvisionedConcurrentExecutions=Ref(parameters.PROCESSOR_PROVISIONED_CONCURRENCY)
                ),
            ),
        ),
    )
    processor = stages[-1]

    template = Template(Description=DESCRIPTION)
    template.set_version()
    template.set_transform(SERVERLESS_TRANSFORM)
    template.set_metadata({"AWS::CloudFormation::Interface": parameters.interface()})
    template.add_mapping(CONSOLE, CONSOLES)
    for parameter in parameters.ALL:
        template.add_parameter(parameter)
    for name, condition in conditions.ALL.items():
        template.add_condition(name, condition)
    _add(
        template,
        [table, *dead_letters],
        *((stage.log_group, stage.policy, stage.role, stage.function) for stage in stages),
        scaling(processor.function),
        alarms.on_dead_letters(dead_letters.queue),
        *(stage.alarms for stage in stages),
        alarms.on_table(table),
        [alarms.on_provisioned_concurrency(processor.function)],
        notifications(),
        [dashboard(stages, table=table, dead_letters=dead_letters.queue)],
    )
    template.add_output(
        [
            Output("TableName", Description="Table of the stored records", Value=Ref(table)),
            Output("DlqUrl", Description="URL of the dead-letter queue", Value=Ref(dead_letters.queue)),
            Output("DlqArn", Description="ARN of the dead-letter queue", Value=GetAtt(dead_letters.queue, "Arn")),
            *(_alias_output(stage) for stage in stages),
        ]
    )
    return template


def _add(template: Template, *groups: Iterable[AWSObject]) -> None:
    """Add the resources, tagged: the one place where the template gets any."""
    for group in groups:
        for resource in group:
            tag(resource)
            template.add_resource(resource)


def _alias_output(stage: Component) -> Output:
    """Name the alias, not the function, so that callers reach the published and warmed version."""
    title = stage.function.title
    return Output(f"{title}Arn", Description=f"ARN of the alias of {title}", Value=stage.function.alias)
