"""Rules that are lines of a text: custom_rules.txt for cfn-lint, demands.txt for what conditions can leave out."""

import re
from typing import Any

import pytest

from pipeline.rules.rule import DEMAND

from .linting import ROOT, edited, found_unexpanded, messages, own_rules, python_rules
from .mutation import put
from .templates import template

RULES = ROOT / "tools" / "pipeline" / "rules"
DEMANDS = [line for line in (RULES / "demands.txt").read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("line", DEMANDS)
def test_a_demand_is_a_rule_and_finds_resources_to_look_at(line: str, committed_translated: dict[str, Any]) -> None:
    match = DEMAND.fullmatch(line)
    assert match
    rule = python_rules()[match[1]]
    assert (rule.shortdesc, rule.source_url) == (match[5], match[6])
    assert match[2] in {resource["Type"] for resource in committed_translated["Resources"].values()}


def test_cfn_lint_loads_every_line() -> None:
    assert {line.split()[0] for line in DEMANDS} == {f"E90{number:02}" for number in range(3, 12)}
    assert set(own_rules()) - set(python_rules()) == {"W9001", "W9002"}


def test_the_limit_of_the_memory_is_the_same_for_literals_and_for_what_is_offered() -> None:
    limits = {int(limit) for limit in re.findall(r"MemorySize <= (\d+)", (RULES / "custom_rules.txt").read_text())}
    assert limits == {python_rules()["W9111"].config["maximum_memory"]}


@pytest.mark.parametrize(
    ("retention", "missing"),
    [
        ("!Ref AWS::NoValue", True),
        ("!If [Live, 365, !Ref AWS::NoValue]", True),
        ("!If [Live, 365, !If [NotLive, 30, !Ref AWS::NoValue]]", False),
        ("!Ref Days", False),
        ("!FindInMap [Days, !Ref Stage, Logs]", False),
    ],
)
def test_what_a_condition_leaves_out_is_not_defined(retention: str, *, missing: bool) -> None:
    given = template(f"""
Parameters: {{Stage: {{Type: String, Default: dev}}, Days: {{Type: Number}}}}
Mappings: {{Days: {{dev: {{Logs: 7}}, prod: {{Logs: 365}}}}}}
Conditions: {{Live: !Equals [!Ref Stage, prod], NotLive: !Not [Condition: Live]}}
Resources:
  Group: {{Type: AWS::Logs::LogGroup, Properties: {{RetentionInDays: {retention}}}}}
  Other:
    Type: AWS::Logs::LogGroup
    Condition: Live
    Properties: {{RetentionInDays: !If [Live, 7, !Ref AWS::NoValue]}}
""")
    assert found_unexpanded(given, "E9003") == ({"E9003"} if missing else set())


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("DataTable.SSESpecification.SSEEnabled", {"E9006", "E9010"}),
        ("DataTable.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", {"E9004", "E9005"}),
        ("DataTable.DeletionProtectionEnabled", {"E9011"}),
        ("DeadLetterAlarm.TreatMissingData", {"E9007"}),
        ("EnricherFunction.Timeout", {"W9322"}),
        ("EnricherFunction.TracingConfig.Mode", {"E9008", "E9009"}),
        ("EnricherFunctionEventInvokeConfig.MaximumRetryAttempts", {"E9191"}),
        ("EnricherFunction.DeadLetterConfig", {"E9141"}),
        ("DeadLetterQueue.MessageRetentionPeriod", {"E9144"}),
        ("DataTable.Tags", {"W9161"}),
        ("DataTable.BillingMode", {"W9131"}),
    ],
)
def test_a_property_that_a_rule_demands_may_not_be_left_out_in_some_cases(
    committed_translated: dict[str, Any], path: str, rules: set[str]
) -> None:
    either = {"Fn::If": ["DeploysGradually", {"Ref": "AWS::NoValue"}, False]}
    broken = edited(committed_translated, put(path, either))
    assert found_unexpanded(broken, *rules) == rules


def test_a_finding_says_what_the_property_was_given(committed: dict[str, Any]) -> None:
    told = messages(edited(committed, put("DataTable.SSESpecification.SSEEnabled", False)), "E9010")
    assert told == ["DataTable should set SSESpecification.SSEEnabled to true (got false)"]
