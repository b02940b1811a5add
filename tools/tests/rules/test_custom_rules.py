"""The rules in cfn-lint's own language: their ids are their lines, so a line that moves would rename a rule."""

import re
from typing import Any

import pytest

from .linting import OF_SAM, ROOT, own_rules, python_rules

LINES = [
    line
    for line in (ROOT / "tools/pipeline/rules" / "custom_rules.txt").read_text().splitlines()
    if not line.startswith("#")
]
RULES = {
    "W9001": "AWS::Lambda::Function MemorySize <= 1024",
    "W9002": "AWS::Serverless::Function MemorySize <= 1024",
    "E9003": "AWS::Logs::LogGroup RetentionInDays IS DEFINED",
    "E9004": "AWS::DynamoDB::Table PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled IS DEFINED",
    "E9005": "AWS::DynamoDB::Table PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled EQUALS true",
    "E9006": "AWS::DynamoDB::Table SSESpecification.SSEEnabled IS DEFINED",
    "E9007": "AWS::CloudWatch::Alarm TreatMissingData IS DEFINED",
    "E9008": "AWS::Lambda::Function TracingConfig.Mode EQUALS Active",
    "E9009": "AWS::Lambda::Function TracingConfig.Mode IS DEFINED",
    "E9010": "AWS::DynamoDB::Table SSESpecification.SSEEnabled EQUALS true",
    "E9011": "AWS::DynamoDB::Table DeletionProtectionEnabled IS DEFINED",
    "E9014": "AWS::Serverless::Function Tracing EQUALS Active",
    "E9015": "AWS::Serverless::Function Tracing IS DEFINED",
}


@pytest.mark.parametrize(("line", "rule"), list(zip(LINES, RULES, strict=True)))
def test_a_line_is_the_rule_of_its_number_with_a_sentence_and_a_link(line: str, rule: str) -> None:
    severity = "WARN" if rule.startswith("W") else "ERROR"
    expected = rf'{re.escape(RULES[rule])} {severity} "[^"]+: https://docs\.aws\.amazon\.com/[^"\s]+"'
    assert re.fullmatch(expected, line)
    assert own_rules()[rule].shortdesc != "Invalid custom rule configuration"


def test_cfn_lint_loads_every_line() -> None:
    assert set(own_rules()) - set(python_rules()) == set(RULES)


@pytest.mark.parametrize("rule", set(RULES) - set(OF_SAM))
def test_a_rule_finds_resources_to_look_at(committed_translated: dict[str, Any], rule: str) -> None:
    resource_type, *_ = RULES[rule].split()
    assert resource_type in {resource["Type"] for resource in committed_translated["Resources"].values()}


def test_the_rules_for_a_later_linter_look_at_the_type_that_sam_has(committed: dict[str, Any]) -> None:
    types = {resource["Type"] for resource in committed["Resources"].values()}
    assert {RULES[rule].split()[0] for rule in OF_SAM} <= types


def test_the_limit_of_the_memory_is_the_same_for_literals_and_for_parameters() -> None:
    limits = {int(text.split()[-1]) for text in RULES.values() if "MemorySize" in text}
    assert limits == {python_rules()["W9111"].config["maximum_memory"]}
