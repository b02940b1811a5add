"""What belongs to a stage that is kept warm or capped follows from that stage, whichever it is."""

from typing import Any

import pytest

from ..pipelines import stack_of, stage
from ..resolution import deployed, references

OWN = {"CounterScalableTarget", "CounterScalingPolicy", "CounterSpilloverAlarm"}


@pytest.fixture(scope="module")
def other() -> dict[str, Any]:
    return stack_of(stage("counter", provisioned=3, capped=True), stage("keeper")).to_dict()


def test_the_parameters_are_named_for_the_stage_and_no_other_has_any(other: dict[str, Any]) -> None:
    own = {name: p["Default"] for name, p in other["Parameters"].items() if name.startswith(("Counter", "Keeper"))}
    assert own == {
        "CounterProvisionedConcurrency": 3,
        "CounterProvisionedConcurrencyMaximum": 0,
        "CounterReservedConcurrency": 0,
    }


def test_the_console_groups_them_with_the_cap_of_all(other: dict[str, Any]) -> None:
    groups = other["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    (group,) = (group["Parameters"] for group in groups if "ReservedConcurrency" in group["Parameters"])
    assert set(group) >= {"CounterProvisionedConcurrency", "CounterReservedConcurrency"}


def test_the_stage_is_kept_warm_scaled_and_watched(other: dict[str, Any]) -> None:
    chosen = {"CounterProvisionedConcurrencyMaximum": 9, "CounterReservedConcurrency": 20}
    resources = deployed(other, AlarmTopicArn="arn:aws:sns:us-east-1:123456789012:alarms", **chosen)["Resources"]
    assert set(resources) >= OWN
    warm, most = {"Ref": "CounterProvisionedConcurrency"}, {"Ref": "CounterProvisionedConcurrencyMaximum"}
    alias = resources["CounterFunctionAliaslive"]["Properties"]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": warm}
    reserved = resources["CounterFunction"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {"Ref": "CounterReservedConcurrency"}
    target = resources["CounterScalableTarget"]["Properties"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (warm, most)
    assert "the counter has had more work" in resources["CounterSpilloverAlarm"]["Properties"]["AlarmDescription"]
    assert not any(name.startswith(("KeeperScal", "KeeperSpill")) for name in resources)


def test_none_of_it_is_made_where_no_instance_is_kept_warm(other: dict[str, Any]) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    resources = deployed(other, CounterProvisionedConcurrency=0, AlarmTopicArn=topic)["Resources"]
    assert not OWN & set(resources)
    assert "ProvisionedConcurrencyConfig" not in resources["CounterFunctionAliaslive"]["Properties"]


def test_without_a_warm_stage_nothing_refers_to_what_it_would_have() -> None:
    stack = deployed(stack_of(stage("counter"), stage("keeper")).to_dict())
    referred = {name for name in references([stack["Resources"], stack["Outputs"]]) if not name.startswith("AWS::")}
    assert referred <= {*stack["Resources"], *stack["Parameters"]}
    assert not any(name.startswith("CounterProvisioned") for name in stack["Parameters"])
