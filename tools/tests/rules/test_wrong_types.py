"""Values that no resource may have: cfn-lint's own rules say which, and the project's rules that they can't check."""

from typing import Any

import pytest

from .linting import lint

SAM = {"Transform": "AWS::Serverless-2016-10-31"}
TOLD = "the rules can't check "
TYPE = "a value in it has another type than AWS expects"


def told(resource: dict[str, Any], **more: Any) -> list[str]:
    found = lint({"Resources": {"Thing": resource}, **more})
    assert "E0002" not in {match.rule.id for match in found}
    return [match.message.removeprefix(TOLD) for match in found if match.message.startswith(TOLD)]


@pytest.mark.parametrize("value", [5, "x", [1], True, {"Fn::Sub": 5}, {"Fn::FindInMap": "x"}, {"Ref": []}])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("SQS::Queue", "RedrivePolicy"),
        ("IAM::Role", "AssumeRolePolicyDocument"),
        ("CloudWatch::Alarm", "Dimensions"),
        ("DynamoDB::Table", "PointInTimeRecoverySpecification"),
        ("Lambda::Function", "DeadLetterConfig"),
    ],
)
def test_a_resource_with_a_value_of_a_wrong_type_breaks_no_rule(kind: str, name: str, value: Any) -> None:
    found = told({"Type": f"AWS::{kind}", "Properties": {name: value}})
    assert len(found) == len(set(found))
    assert set(found) <= {f"Thing: {TYPE}", f"the template: {TYPE}"}


def test_what_sam_cannot_expand_is_told_once_with_its_reason() -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {"DeadLetterQueue": 5}}
    (reason,) = told(function, **SAM)
    assert reason.startswith("the template: Resource with id [Thing] is invalid. ")


def test_a_resource_that_several_rules_cannot_check_is_told_once() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Fn::Sub": 5}}}
    assert told(queue) == [f"Thing: {TYPE}"]


@pytest.mark.parametrize("more", [{"Parameters": {"A": 5}}, {"Conditions": {"A": 5}}, {"Outputs": {"A": 5}}])
def test_other_sections_of_a_wrong_type_break_no_rule(more: dict[str, Any]) -> None:
    assert len(told({"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "A"}}}, **more)) <= 1
