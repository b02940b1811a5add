"""Provisioned concurrency scales out when it is busy, and back in when it is not, also when nothing comes at all."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from ..documented_metrics import DOCUMENTED
from ..resolution import resolve
from ..translation import of_type, translate

Policies = dict[str, dict[str, Any]]

SCALED = {"ProcessorProvisionedConcurrency": 2, "ProcessorProvisionedConcurrencyMaximum": 10}
BUSY, IDLE = "ProcessorScalingPolicy", "ProcessorScaleInPolicy"


@pytest.fixture(scope="module")
def policies(template: dict[str, Any]) -> Policies:
    resolved = resolve(translate(template, **SCALED), SCALED)
    return of_type(resolved, "AWS::ApplicationAutoScaling::ScalingPolicy")


def tracked(policies: Policies) -> list[dict[str, Any]]:
    return [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies.values()]


def fills(configuration: dict[str, Any]) -> bool:
    """Say whether silence is a point for the policy; else it has none without invocations, and scales nothing in."""
    return any("FILL" in q.get("Expression", "") for q in configuration["CustomizedMetricSpecification"]["Metrics"])


def specification(configuration: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in configuration.items() if key.endswith("Specification")})


# https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
def test_every_policy_that_may_scale_in_takes_silence_for_zero(policies: Policies) -> None:
    scaling_in = [configuration for configuration in tracked(policies) if not configuration.get("DisableScaleIn")]
    assert scaling_in
    assert all("CustomizedMetricSpecification" in c and fills(c) for c in scaling_in)


def test_one_policy_scales_out_by_what_is_reported_and_nothing_else(policies: Policies) -> None:
    reported = [c["PredefinedMetricSpecification"] for c in tracked(policies) if "PredefinedMetricSpecification" in c]
    assert reported == [{"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}]


def test_no_two_policies_track_the_same_metric_which_application_auto_scaling_refuses(policies: Policies) -> None:
    specifications = [specification(configuration) for configuration in tracked(policies)]
    assert len(set(specifications)) == len(specifications)


def test_what_is_tracked_is_the_documented_utilization_of_the_alias(policies: Policies) -> None:
    (metric,) = (
        query["MetricStat"]["Metric"]
        for configuration in tracked(policies)
        for query in configuration.get("CustomizedMetricSpecification", {}).get("Metrics", [])
        if "MetricStat" in query
    )
    named = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
    assert frozenset(named) in DOCUMENTED[metric["Namespace"]][metric["MetricName"]]
    assert named["Resource"] == {"Fn::Join": [":", [{"Ref": "ProcessorFunction"}, "live"]]}
    assert {configuration["TargetValue"] for configuration in tracked(policies)} == {0.7}


def allow_scaling_in(policies: Policies) -> None:
    policies[BUSY]["TargetTrackingScalingPolicyConfiguration"]["DisableScaleIn"] = False


def track_the_same_twice(policies: Policies) -> None:
    policies[IDLE] = copy.deepcopy(policies[BUSY])


def without(name: str) -> Callable[[Policies], None]:
    def edit(policies: Policies) -> None:
        del policies[name]

    return edit


@pytest.mark.parametrize(
    ("defect", "check"),
    [
        (without(IDLE), test_every_policy_that_may_scale_in_takes_silence_for_zero),
        (allow_scaling_in, test_every_policy_that_may_scale_in_takes_silence_for_zero),
        (without(BUSY), test_one_policy_scales_out_by_what_is_reported_and_nothing_else),
        (track_the_same_twice, test_no_two_policies_track_the_same_metric_which_application_auto_scaling_refuses),
    ],
)
def test_a_check_catches_a_planted_defect(
    policies: Policies, defect: Callable[[Policies], None], check: Callable[[Policies], None]
) -> None:
    broken = copy.deepcopy(policies)
    defect(broken)
    with pytest.raises(AssertionError):
        check(broken)
