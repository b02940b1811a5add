"""The stack with every option on breaks none of AWS's rules for alarms, and each rule catches a defect."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from . import aws_alarm_rules
from .aws_alarm_rules import RULES, Resources
from .resolution import resolve
from .test_combinations import CHOICES
from .translation import translate

EVERY_OPTION = {name: choices[1] for name, choices in CHOICES.items()}
LOST = {"Namespace": "AWS/Lambda", "MetricName": "DeadLetterErrors", "Dimensions": []}
FILLED = [
    {"Id": "lost", "Expression": "FILL(raw, 0)"},
    {"Id": "raw", "ReturnData": False, "MetricStat": {"Metric": LOST}},
]


@pytest.fixture(scope="module")
def deployed(template: dict[str, Any]) -> Resources:
    resources: Resources = resolve(translate(template, **EVERY_OPTION), EVERY_OPTION)["Resources"]
    return resources


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_stack_breaks_no_rule(deployed: Resources, rule: Callable[[Resources], Any]) -> None:
    assert list(rule(deployed)) == []


def set_in(name: str, **properties: Any) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        resources[name]["Properties"].update(properties)

    return edit


def drop(name: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        del resources[name]

    return edit


def roll_back_by(alarm: str) -> Callable[[Resources], None]:
    configuration = {"Enabled": True, "Alarms": [{"Name": {"Ref": alarm}}]}
    return set_in("ValidatorFunctionDeploymentGroup", AlarmConfiguration=configuration)


GROUP, SETTINGS = "ValidatorFunctionDeploymentGroup", "ValidatorFunctionEventInvokeConfig"
DEFECTS: list[tuple[str, Callable[[Resources], None], str]] = [
    ("filled", set_in("ValidatorLostLettersAlarm", Metrics=FILLED), "ValidatorLostLettersAlarm"),
    ("window", set_in("DeadLetterAgeAlarm", EvaluationPeriods=169), "DeadLetterAgeAlarm"),
    ("window", set_in("DeadLetterAgeAlarm", Period=1800), "DeadLetterAgeAlarm"),
    ("window", set_in("ValidatorFailuresAlarm", DatapointsToAlarm=6), "ValidatorFailuresAlarm"),
    ("rolled_back", set_in("ValidatorFailuresAlarm", MetricName="Errors"), GROUP),
    ("rolled_back", roll_back_by("ValidatorThrottlesAlarm"), GROUP),
    ("rolled_back", roll_back_by("ValidatorLostLettersAlarm"), GROUP),
    ("rolled_back", roll_back_by("DeadLettersHeldAlarm"), GROUP),
    ("rolled_back", set_in(GROUP, AlarmConfiguration={"Enabled": True, "Alarms": []}), GROUP),
    ("unwatched", drop("ValidatorLostLettersAlarm"), SETTINGS),
    ("unwatched", drop("ValidatorLostResultsAlarm"), SETTINGS),
    ("unwatched", set_in("ValidatorLostResultsAlarm", EvaluationPeriods=1), SETTINGS),
    ("unwatched", set_in("ValidatorLostResultsAlarm", DatapointsToAlarm=2), SETTINGS),
    ("late", drop("ValidatorEventAgeAlarm"), SETTINGS),
    ("late", set_in("ValidatorEventAgeAlarm", Threshold=21_000_000), SETTINGS),
]


@pytest.mark.parametrize(("rule", "defect", "named"), DEFECTS)
def test_a_rule_catches_a_planted_defect(
    deployed: Resources, rule: str, defect: Callable[[Resources], None], named: str
) -> None:
    broken = copy.deepcopy(deployed)
    defect(broken)
    assert list(getattr(aws_alarm_rules, rule)(broken)) == [named]


def test_every_rule_has_a_planted_defect() -> None:
    assert {rule for rule, _, _ in DEFECTS} == {rule.__name__ for rule in RULES}
