"""Alarms of other people, and the deployments that heed them."""

from typing import Any

import pytest

from tests.model.translation import translate

from .linting import found, messages, subjects
from .templates import ASIDE, alarm, math, template

DEPLOYED = """
Parameters: {Name: {Type: String}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: pass
      AutoPublishAlias: live
      DeploymentPreference: {Type: %s}
"""


def test_what_a_gradual_deployment_of_the_template_adds_has_no_findings(committed: dict[str, Any]) -> None:
    gradual = translate(committed, GradualDeployment="true")
    # The translation has decided it, so that what follows is never absent, and one side of a choice never taken.
    gradual["Parameters"]["GradualDeployment"] |= {"Default": "true", "AllowedValues": ["true"]}
    assert found(gradual) == set()
    stages = [name for name, body in gradual["Resources"].items() if body["Type"] == "AWS::CodeDeploy::DeploymentGroup"]
    assert subjects(gradual)["E9321"] == len(stages) > 0


@pytest.mark.parametrize(
    ("preference", "expected"),
    [
        ("Linear10PercentEvery1Minute", {"E9321"}),
        ("Linear10PercentEvery1Minute, Alarms: [!Ref Name]", set()),
        ("AllAtOnce", set()),
    ],
)
def test_only_a_deployment_that_takes_time_needs_alarms(preference: str, expected: set[str]) -> None:
    assert found(template(DEPLOYED % preference)) - ASIDE == expected


def test_alarms_that_a_deployment_does_not_heed_are_none() -> None:
    expanded = translate(template(DEPLOYED % "Linear10PercentEvery1Minute, Alarms: [!Ref Name]"))
    group = expanded["Resources"]["FunctionDeploymentGroup"]["Properties"]
    assert "E9321" not in found(expanded)
    group["AlarmConfiguration"]["Enabled"] = False
    assert messages(expanded, "E9321") == [
        "gradual deployment of Function should have alarms that roll it back "
        "(got {Enabled: false, Alarms: [{Name: !Ref Name}]})"
    ]


TABLE = "Resources:\n  Table: {Type: AWS::Serverless::SimpleTable}\n"


def test_a_finding_says_which_dimensions_and_values_an_alarm_was_given() -> None:
    text = TABLE + alarm("!GetAtt Table.Arn", "TableName", "SystemErrors")
    assert messages(template(text), "E9311") == [
        "alarm Alarm on SystemErrors should have the dimension TableName by Ref of an AWS::DynamoDB::Table "
        "(got !GetAtt Table.Arn)",
        "alarm Alarm on SystemErrors should have the dimension Operation too, without which it has no data "
        "(got TableName)",
    ]


@pytest.mark.parametrize("actions", ["[]", "!Ref AWS::NoValue", "[!Ref AWS::NoValue]"])
def test_an_empty_list_of_actions_is_none(actions: str) -> None:
    text = TABLE + alarm("!Ref Table", "TableName", "WriteThrottleEvents")
    assert found(template(text.replace("[!ImportValue on-call]", actions))) - ASIDE == {"W9312"}


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        (["lost + sent"], set()),
        (["lost - FILL(sent, 0)"], set()),
        (["FILL(lost, 0)"], {"E9313"}),
        (["sent + FILL(lost, REPEAT)"], {"E9313"}),
        (["FILL(SUM([sent, lost]), 0)"], {"E9313"}),
        (["FILL(METRICS(), 0)", "lost"], {"E9313"}),
        (["FILL(e1, 0)", "lost + sent"], {"E9313"}),
        (["FILL(e1, 0)", "MAX(sent)", "lost"], set()),
        (["FILL(e1, 0)", "MAX(e0)", "lost"], set()),
    ],
)
def test_losses_may_not_be_filled_in_not_even_by_another_expression(expressions: list[str], expected: set[str]) -> None:
    assert found(math("DeadLetterErrors", *expressions)) - ASIDE - {"E9142"} == expected


def test_the_finding_shows_the_expressions_that_fill_losses() -> None:
    assert messages(math("DeadLetterErrors", "FILL(e1, 0)", "lost + 1"), "E9313") == [
        "alarm Alarm should leave the gaps of DeadLetterErrors to TreatMissingData (got FILL(e1, 0); lost + 1)"
    ]
