"""Every change reaches the alias, and no change makes a deployment fail.

A new logical id of the version is what makes CloudFormation publish; a change in what Lambda itself holds for a
version is what keeps it from refusing to ("version already exists", serverless-application-model#3281).
"""

from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from troposphere import Ref, Sub, Tags, Template
from troposphere.awslambda import Environment
from troposphere.sns import Topic

from model.stages.sam import REPLACING, Function
from tests.own.pipeline import build

from ..translation import of_type, translate

FUNCTION = "ProcessorFunction"

# What Lambda keeps for each version: the properties of AWS::Lambda::Function that a published version carries. Left
# out are those that belong to the function as a whole: tags, reserved concurrency and the like.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
IN_A_VERSION = {
    *("Architectures", "Code", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "Handler"),
    *("FileSystemConfigs", "ImageConfig", "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "PackageType"),
    *("Role", "Runtime", "SnapStart", "Timeout", "TracingConfig", "VpcConfig"),
}

CHANGES: dict[str, Callable[[Function], Any]] = {
    "FunctionName": lambda _: "another",
    "Description": lambda _: "Does something else",
    "Handler": lambda _: "another.handler",
    "Runtime": lambda _: "python3.14",
    "Architectures": lambda _: ["x86_64"],
    "MemorySize": lambda f: f.MemorySize + 64,
    "Timeout": lambda f: f.Timeout + 1,
    "Environment": lambda _: {"Variables": {"TABLE_NAME": "another"}},
    "Role": lambda _: Ref("AnotherRole"),
    "ProvisionedConcurrencyConfig": lambda _: {"ProvisionedConcurrentExecutions": 7},
    "EventInvokeConfig": lambda _: {"MaximumRetryAttempts": 1},
    "DeadLetterQueue": lambda _: {"Type": "SQS", "TargetArn": "arn:aws:sqs:us-east-1:123456789012:another"},
    "KmsKeyArn": lambda _: "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
    "ReservedConcurrentExecutions": lambda _: 3,
    "PropagateTags": lambda _: False,
    "DeploymentPreference": lambda _: {"Type": "AllAtOnce", "Enabled": False},
    "LoggingConfig": lambda _: {"LogFormat": "Text"},
    "RecursiveLoop": lambda _: "Allow",
    "Tracing": lambda _: "PassThrough",
    "Tags": lambda f: {**f.Tags, "CostCenter": "Research"},
}
# Switches of the publishing itself, not properties of the function.
SWITCHES = {"AutoPublishAlias", "AutoPublishAliasAllProperties"}


Published = tuple[str, dict[str, Any]]
"""A version's logical id, and what Lambda itself sees of it."""


def published(template: Any, *, code: str = "s3://example-bucket/one") -> Published:
    translated = translate(template.to_dict(), code=code)
    (version,) = (name for name in of_type(translated, "AWS::Lambda::Version") if name.startswith(FUNCTION))
    properties = of_type(translated, "AWS::Lambda::Function")[FUNCTION]
    return version, {name: value for name, value in properties.items() if name in IN_A_VERSION}


def test_the_table_of_changes_names_every_property_of_the_functions() -> None:
    functions = [r for r in build().resources.values() if isinstance(r, Function)]
    assert len(functions) >= 3
    properties = set().union(*(function.properties for function in functions))
    assert properties - SWITCHES - {"CodeUri"} == set(CHANGES)


@pytest.fixture(scope="module")
def before() -> Published:
    return published(build())


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_property_publishes_a_version_that_lambda_sees_as_new(name: str, before: Published) -> None:
    after = build()
    function = after.resources[FUNCTION]
    # Past troposphere's type checks: what is tested is the change, not the value.
    function.properties[name] = CHANGES[name](function)
    assert_new(before, published(after))


def assert_new(before: Published, after: Published) -> None:
    """Look at both that the version has another id, and that Lambda sees another function."""
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_changed_code_publishes_a_version_that_lambda_sees_as_new(before: Published) -> None:
    assert_new(before, published(build(), code="s3://example-bucket/two"))


REPLACEMENTS: dict[str, tuple[str, Any]] = {
    "DataTable": ("KeySchema", [{"AttributeName": "id", "KeyType": "HASH"}]),
    "DeadLetterQueue": ("QueueName", "letters"),
    "ProcessorRole": ("Path", "/data/"),
    "ProcessorLogGroup": ("LogGroupName", "/aws/lambda/another"),
}


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_a_replaced_resource_that_the_function_refers_to_reaches_the_alias(name: str, before: Published) -> None:
    after = build()
    changed, value = REPLACEMENTS[name]
    after.resources[name].properties[changed] = value
    assert_new(before, published(after))


def test_a_resource_of_another_type_reaches_the_alias_by_any_change() -> None:
    def publishing_to(topic: Topic) -> Template:
        template = build()
        template.add_resource(topic)
        template.resources[FUNCTION].Environment = Environment(Variables={"TOPIC": Sub("${Totals}")})
        return template

    one, same, other = (publishing_to(Topic("Totals", DisplayName=name)) for name in ("one", "one", "other"))
    assert published(one) == published(same) != published(other)


@pytest.mark.parametrize(
    ("name", "changed", "value"),
    [
        ("DataTable", "Tags", Tags(CostCenter="Research")),
        ("DataTable", "DeletionProtectionEnabled", True),
        ("DeadLetterQueue", "MessageRetentionPeriod", 60),
        ("ProcessorFailuresAlarm", "Threshold", 9),
        ("EnricherRole", "Path", "/data/"),
    ],
)
def test_a_change_that_replaces_nothing_that_the_function_refers_to_publishes_nothing(
    name: str, changed: str, value: Any, before: Published
) -> None:
    after = build()
    after.resources[name].properties[changed] = value
    assert published(after) == before


def test_the_table_of_what_replaces_a_resource_is_that_of_the_types_schemas() -> None:
    for resource_type, properties in REPLACING.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
        paths = [*schema["createOnlyProperties"], *schema.get("conditionalCreateOnlyProperties", [])]
        # A key's type is replaced with the definition that names it, which the schema does not say.
        known = {"AttributeDefinitions"} if resource_type == "AWS::DynamoDB::Table" else set()
        assert set(properties) == {path.removeprefix("/properties/") for path in paths} | known, resource_type


def test_the_description_stays_within_the_256_characters_that_lambda_takes() -> None:
    descriptions = [f["Description"] for f in of_type(translate(build().to_dict()), "AWS::Lambda::Function").values()]
    assert max(map(len, descriptions)) <= 256


def test_another_attempt_is_seen_by_lambda_and_publishes_nothing_by_itself() -> None:
    version, seen = published(build())
    assert seen["Description"]["Fn::Sub"].endswith(", attempt ${DeploymentAttempt})")
    # What SAM decides by is not resolved: the version is the same whatever the number.
    again = translate(build().to_dict(), code="s3://example-bucket/one", DeploymentAttempt=2)
    assert version in of_type(again, "AWS::Lambda::Version")
