"""The shims, and what tells that they can go: troposphere has gained the property."""

from troposphere import awslambda, serverless

from model import sam


def test_troposphere_still_lacks_the_log_format() -> None:
    assert "LogFormat" not in awslambda.LoggingConfig.props, "drop sam.LoggingConfig"


def test_troposphere_still_lacks_the_publishing_of_all_properties() -> None:
    assert "AutoPublishAliasAllProperties" not in serverless.Function.props, "drop it from sam.Function"


def test_the_alias_is_referred_to_by_the_function_that_it_belongs_to() -> None:
    assert sam.Function("ValidatorFunction").alias.to_dict() == {"Ref": "ValidatorFunction.Alias"}
