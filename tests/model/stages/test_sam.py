"""The shims, and what tells that they can go: troposphere has gained the property."""

from typing import Any

import pytest
from awacs import aws
from troposphere import If, awslambda, serverless

from model.stages import sam


@pytest.mark.parametrize(
    ("own", "shim", "properties"),
    [
        (awslambda.LoggingConfig, "LoggingConfig", {"LogFormat"}),
        (serverless.Function, "Function", {"AutoPublishAliasAllProperties", "PropagateTags", "RecursiveLoop"}),
        (awslambda.ScalingConfig, "ScalingConfig", {"MaximumConcurrency"}),
    ],
    ids=["log format", "function", "concurrency of an event source"],
)
def test_troposphere_still_lacks_a_property(own: Any, shim: str, properties: set[str]) -> None:
    assert properties & set(own.props) == set(), f"drop it from sam.{shim}"


def test_the_alias_is_referred_to_by_the_function_that_it_belongs_to() -> None:
    assert sam.Function("ValidatorFunction").alias.to_dict() == {"Ref": "ValidatorFunction.Alias"}


def test_troposphere_still_takes_no_parameter_for_the_switch_of_a_deployment() -> None:
    with pytest.raises(TypeError):
        serverless.DeploymentPreference(Type="AllAtOnce", Enabled="true")
    assert serverless.DeploymentPreference.props["Enabled"] == (bool, False), "drop sam.DeploymentPreference"


def test_awacs_still_refuses_a_statement_under_a_condition() -> None:
    with pytest.raises(TypeError):
        aws.PolicyDocument(Statement=[If("Some", {}, {})])
