"""The shims, and what tells that they can go: troposphere has gained the property."""

import pytest
from awacs import aws
from troposphere import If, awslambda, serverless

from model.stages import sam


def test_troposphere_still_lacks_the_log_format() -> None:
    assert "LogFormat" not in awslambda.LoggingConfig.props, "drop sam.LoggingConfig"


def test_troposphere_still_lacks_the_publishing_of_all_properties() -> None:
    assert "AutoPublishAliasAllProperties" not in serverless.Function.props, "drop it from sam.Function"


def test_the_alias_is_referred_to_by_the_function_that_it_belongs_to() -> None:
    assert sam.Function("ValidatorFunction").alias.to_dict() == {"Ref": "ValidatorFunction.Alias"}


def test_troposphere_still_lacks_the_propagation_of_tags() -> None:
    assert "PropagateTags" not in serverless.Function.props, "drop it from sam.Function"


def test_troposphere_still_lacks_the_switch_of_loop_detection() -> None:
    assert "RecursiveLoop" not in serverless.Function.props, "drop it from sam.Function"


def test_troposphere_still_lacks_the_concurrency_of_an_event_source() -> None:
    assert "MaximumConcurrency" not in awslambda.ScalingConfig.props, "drop sam.ScalingConfig"


def test_troposphere_still_takes_no_parameter_for_the_switch_of_a_deployment() -> None:
    with pytest.raises(TypeError):
        serverless.DeploymentPreference(Type="AllAtOnce", Enabled="true")
    assert serverless.DeploymentPreference.props["Enabled"] == (bool, False), "drop sam.DeploymentPreference"


def test_awacs_still_refuses_a_statement_under_a_condition() -> None:
    with pytest.raises(TypeError):
        aws.PolicyDocument(Statement=[If("Some", {}, {})])
