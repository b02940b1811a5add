"""The two implementations that this stack grew from: what was wrong with the first, and what the second kept."""

from typing import Any

import pytest

from tests.model.translation import translate

from .linting import FIXTURES, found, lint, read, runner

# The ten issues, in the order and by the names of the first implementation, each with the rule that finds it.
ISSUES = {
    "Memory Over-Provisioning": "W9001",
    "No Reusable Components": "W9121",
    "No DynamoDB Auto-Scaling": "W9131",
    "No Dead Letter Queues": "E9141",
    "Wildcard IAM Permissions": "E9151",
    "No Cost Tagging": "W9161",
    "No Log Retention": "E9171",
    "No Provisioned Concurrency": "W9181",
    "No Error Handling": "E9191",
    "No Dependency Management": "E9201",
}
# What else is wrong with the first, which its list does not name.
ALSO_INITIAL = {"E9004", "E9006", "E9009", "E9011", "E9152", "E9153", "E9301"}
KEPT = {
    "One role for three functions, each of which has the rights of all": "E9153",
    "Logs allowed on every group of every account": "E9152",
    "An exported ARN that bypasses the warm alias": "E9182",
    "Log groups that belong to no function": "E9172",
    "Functions whose logs go to groups without retention": "E9171",
    "Average on the alarm, which hides and delays a letter": "W9143",
    "An alarm that takes silence for missing data": "E9007",
    "An alarm that notifies nobody": "W9312",
    "Nobody decided how often and how long a failure is tried again": "E9191",
    "A table that can't be restored": "E9004",
    "A table and a queue that go with the stack": "E9301",
    "A table that anybody with the right may delete by a slip": "E9011",
    "A table that does not say how it is encrypted": "E9006",
    "A queue that takes plain HTTP": "E9302",
    "A queue that does not say how it is encrypted": "E9303",
    "No traces": "E9009",
}
# cfn-lint's own word on a runtime that AWS no longer takes, and on the reference in a text.
BUILT_IN = {"W2531", "E2531", "E2533", "E1029"}


@pytest.fixture(scope="module")
def initial() -> dict[str, Any]:
    return read(FIXTURES / "initial.yaml")


def test_the_initial_implementation_has_all_ten_issues(initial: dict[str, Any]) -> None:
    assert len(ISSUES) == 10
    assert found(initial) == {*ISSUES.values(), *ALSO_INITIAL}


def test_the_improved_implementation_kept_these_defects() -> None:
    assert found(read(FIXTURES / "improved.yaml")) == set(KEPT.values())


@pytest.mark.parametrize("name", ["initial", "improved"])
def test_a_translated_template_has_the_same_findings_and_nothing_else_is_wrong_with_it(name: str) -> None:
    template = read(FIXTURES / f"{name}.yaml")
    assert found(translate(template)) == found(template)
    assert found(template, runner().rules) - found(template) <= BUILT_IN


def test_a_finding_names_the_resource_what_was_expected_and_what_came(initial: dict[str, Any]) -> None:
    messages = {match.rule.id: match.message for match in lint(initial)}
    assert messages["E9152"] == "LambdaPolicy should allow logs:* on one resource (got *)"
    for rule in set(ISSUES.values()) - {"W9001"}:
        assert " should " in messages[rule]
        assert "(got " in messages[rule]
