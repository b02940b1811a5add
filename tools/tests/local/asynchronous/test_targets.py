"""How functions are named, and what can be sent to."""

import pytest

from pipeline.local.asynchronous.targets import (
    NameRefusedError,
    Target,
    service_of,
    unsupported,
)

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("name", "qualifier", "target"),
    [
        ("f", None, ("000000000000", "us-east-1", "f", None)),
        ("f", "live", ("000000000000", "us-east-1", "f", "live")),
        ("f:$LATEST", None, ("000000000000", "us-east-1", "f", "$LATEST")),
        ("f:live", "live", ("000000000000", "us-east-1", "f", "live")),
        ("123456789012:function:f", None, ("123456789012", "us-east-1", "f", None)),
        (ARN, "7", ("123456789012", "eu-west-1", "f", "7")),
        (f"{ARN}:live", None, ("123456789012", "eu-west-1", "f", "live")),
    ],
)
def test_a_function_is_named_in_each_of_lambdas_ways(name: str, qualifier: str | None, target: object) -> None:
    assert Target.named(name, qualifier, "us-east-1", "000000000000") == target


@pytest.mark.parametrize("name", ["", "a b", "f:", "arn:aws:sqs:us-east-1:123456789012:q", f"{ARN}:a:b"])
def test_what_is_no_name_of_a_function_is_refused_in_lambdas_words(name: str) -> None:
    with pytest.raises(NameRefusedError) as refused:
        Target.named(name, None, "us-east-1", "000000000000")
    code, sentence = refused.value.args
    assert code == "ValidationException"
    assert sentence.startswith(f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy")


def test_two_qualifiers_that_differ_are_refused() -> None:
    with pytest.raises(NameRefusedError, match="derived qualifier"):
        Target.named("f:$LATEST", "live", "us-east-1", "000000000000")


def test_an_arn_has_the_qualifier_that_counts() -> None:
    assert Target.of_arn(ARN).arn == f"{ARN}:$LATEST"
    assert Target.of_arn(f"{ARN}:live").arn == Target.of_arn(f"{ARN}:live").caller_arn == f"{ARN}:live"
    assert Target.of_arn(ARN).caller_arn == ARN


@pytest.mark.parametrize("arn", ["arn:aws:sns:us-east-1:000000000000:t", "arn:aws:s3:::b", "", "lambda"])
def test_nothing_is_delivered_to_other_targets(arn: str) -> None:
    assert "Lambda functions and SQS queues only" in (unsupported(arn) or "")
    assert service_of(arn) in ("sns", "s3", "")


@pytest.mark.parametrize("arn", [ARN, "arn:aws:sqs:us-east-1:000000000000:q"])
def test_functions_and_queues_are_targets(arn: str) -> None:
    assert unsupported(arn) is None
