"""A wrong value is refused before anything is made, in words."""

import re
from typing import Any

import pytest

GOOD = {
    "EnvironmentSuffix": ["dev", "a", "eu1", "a" * 20],
    "AlarmEmail": ["", "on-call@example.com"],
    "AlarmTopicArn": ["", "arn:aws:sns:us-east-1:123456789012:alarms", "arn:aws-cn:sns:cn-north-1:123456789012:a_b-c"],
    "KmsKeyArn": [
        "",
        "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
        "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef",
    ],
}
BAD = {
    "EnvironmentSuffix": ["", "Dev", "1dev", "-dev", "prod-eu", "dev_1", "a" * 21, "dev\n"],
    "AlarmEmail": ["on-call", "a b@example.com", "@example.com", "a@b"],
    "AlarmTopicArn": ["alarms", "arn:aws:sqs:us-east-1:123456789012:alarms", "arn:aws:sns:us-east-1:1:alarms"],
    "KmsKeyArn": [
        "alias/mine",
        "arn:aws:kms:us-east-1:123456789012:alias/mine",
        "01234567-89ab-cdef-0123-456789abcdef",
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_the_pattern_takes_what_is_right_and_refuses_what_is_not(template: dict[str, Any], name: str) -> None:
    pattern = re.compile(template["Parameters"][name]["AllowedPattern"])
    assert [value for value in GOOD[name] if not pattern.fullmatch(value)] == []
    assert [value for value in BAD[name] if pattern.fullmatch(value)] == []


def test_every_parameter_without_a_pattern_has_its_values_or_its_least(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter), name


def test_every_parameter_has_its_place_and_its_label_in_the_console(template: dict[str, Any]) -> None:
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    shown = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])
    assert set(interface["ParameterLabels"]) == set(template["Parameters"])


def test_a_physical_name_with_the_longest_suffix_stays_within_64_characters(template: dict[str, Any]) -> None:
    names = [
        resource["Properties"]["FunctionName"]["Fn::Sub"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    assert len(names) >= 3
    assert max(len(name.replace("${EnvironmentSuffix}", "a" * 20)) for name in names) <= 64
