from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.stack import Stack, StackError, describe, follow, read
from pipeline.stack.stack import Function

from .samples import ACCOUNT, QUEUE_ARN, REGION, STAGES, alias, role_id, stack

OUTPUTS = {
    "TableName": "records",
    "DlqUrl": f"https://sqs/{ACCOUNT}/letters",
    "DlqArn": QUEUE_ARN,
    **{f"{stage.capitalize()}FunctionArn": alias(stage) for stage in STAGES},
    **{f"{stage.capitalize()}RoleId": role_id(stage) for stage in STAGES},
}


def described(outputs: Mapping[str, str] = OUTPUTS, **changed: str) -> dict[str, Any]:
    return {
        "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/data-processing-dev/1",
        "StackName": "data-processing-dev",
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in {**outputs, **changed}.items()],
    }


class Lambda:
    """Answers with the on-success destination of each stage."""

    def __init__(self, destinations: Mapping[str, str | None]) -> None:
        self.destinations = destinations

    def get_function_event_invoke_config(self, **asked: str) -> dict[str, Any]:
        stage = asked["FunctionName"].rpartition(":")[2].removesuffix("-dev")
        if stage not in self.destinations:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFunctionEventInvokeConfig")
        arn = self.destinations[stage]
        return {"DestinationConfig": {"OnSuccess": {"Destination": arn}} if arn else {}}


def followed(destinations: Mapping[str, str | None]) -> Stack:
    return follow(Lambda(destinations), read(described()))


def test_the_outputs_tell_the_stages_with_their_aliases_and_roles() -> None:
    assert followed({"validator": alias("enricher"), "enricher": alias("processor")}) == stack()


def test_the_bucket_of_files_is_known_where_there_is_one() -> None:
    assert read(described()).bucket == ""
    assert read(described(FilesBucketName="files")).bucket == "files"


def test_a_stack_that_was_not_followed_yet_knows_its_entry_alone() -> None:
    assert read(described()).pipeline == ("validator",)


@pytest.mark.parametrize(
    ("destinations", "pipeline"),
    [
        ({"validator": alias("processor"), "processor": alias("enricher"), "enricher": None},
         "validator processor enricher"),
        ({"validator": alias("processor")}, "validator processor"),
        *(({"validator": alias("enricher"), "enricher": elsewhere}, "validator enricher")
          for elsewhere in ("arn:aws:sqs:us-east-1:123456789012:results", alias("billing"), None)),
        ({"validator": alias("enricher"), "enricher": alias("processor"), "processor": alias("validator")},
         "validator enricher processor"),
    ],
    ids=["in another order", "one beside", "ends in a queue", "ends in another stack", "ends", "in a circle"],
)  # fmt: skip
def test_the_pipeline_follows_the_destinations_and_what_is_beside_it_stands_last(
    destinations: dict[str, str | None], pipeline: str
) -> None:
    found = followed(destinations)
    assert found.pipeline == tuple(pipeline.split())
    assert tuple(found.stages)[: len(found.pipeline)] == found.pipeline
    assert set(found.stages) == set(STAGES)


@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_a_destination_that_aws_does_not_tell_is_no_end_of_the_pipeline(code: str) -> None:
    class Refusing(Lambda):
        def get_function_event_invoke_config(self, **asked: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": code}}, "GetFunctionEventInvokeConfig")

    with pytest.raises(ClientError, match=code):
        follow(Refusing({}), read(described()))


@pytest.mark.parametrize("missing", ["TableName", "DlqUrl", "DlqArn", "ValidatorFunctionArn"])
def test_a_stack_without_an_output_is_refused_by_that_outputs_name(missing: str) -> None:
    outputs = {key: value for key, value in OUTPUTS.items() if key != missing}
    with pytest.raises(StackError, match=rf"missing: {missing}; the stack's status is UPDATE_COMPLETE"):
        read(described(outputs))


def elsewhere(arn: str) -> tuple[str, str]:
    return arn.replace(ACCOUNT, "000000000000"), arn.replace(REGION, "eu-west-1")


@pytest.mark.parametrize(
    "changed",
    [
        *({"EnricherFunctionArn": arn} for arn in (*elsewhere(alias("enricher")), QUEUE_ARN)),
        *({"DlqArn": arn} for arn in (*elsewhere(QUEUE_ARN), alias("letters"), "letters")),
        *({"DlqUrl": url} for url in (f"https://sqs/{ACCOUNT}/others", "https://sqs/000000000000/letters")),
        {"FilesQueueArn": QUEUE_ARN.replace(REGION, "eu-west-1"), "FilesQueueUrl": f"https://sqs/{ACCOUNT}/letters"},
    ],
)
def test_outputs_that_lead_out_of_the_stacks_account_and_region_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(StackError, match=f"in {REGION} of the account {ACCOUNT}"):
        read(described(**changed))


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (alias("validator"), "validator-dev"),
        (alias("validator").removesuffix(":live"), "validator-dev"),
        (f"{alias('validator')}:more", None),
        ("arn:aws:lambda:us-east-1:123456789012:layer:validator-dev:1", None),
        (None, None),
    ],
)
def test_a_function_is_known_by_its_arn_with_a_qualifier_or_without(arn: object, name: str | None) -> None:
    found = Function.of_arn(arn)
    assert (found and found.name) == name


def test_a_stack_that_is_not_there_is_named() -> None:
    class CloudFormation:
        def describe_stacks(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")

    with pytest.raises(StackError, match="There is no stack 'orders-dev'"):
        describe(CloudFormation(), "orders-dev")
