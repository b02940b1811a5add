"""The larger model: every copy has all that a stage has; the description says what the CDK's app needs."""

from __future__ import annotations

from typing import Any

import pytest

from bench.benches.large_model import counted, described, repeated
from bench.harness.configured import stages
from model import build

Resources = dict[str, Any]
FUNCTION = {"Handler": "a.handler", "MemorySize": 1, "Timeout": 1, "EventInvokeConfig": {"MaximumRetryAttempts": 0}}


@pytest.fixture(scope="module")
def few() -> Resources:
    resources: Resources = build().to_dict()["Resources"]
    return resources


@pytest.fixture(scope="module")
def many() -> Resources:
    resources: Resources = repeated(2 * len(stages())).to_dict()["Resources"]
    return resources


def test_a_copy_has_the_resources_of_every_stage(few: Resources, many: Resources) -> None:
    grown = counted(many) - counted(few)
    counts = {grown[f"AWS::{kind}"] for kind in ("Lambda::Function", "Logs::LogGroup", "IAM::Role")}
    assert counts == {len(stages())}
    assert grown["AWS::CloudWatch::Alarm"] >= len(stages())


def test_a_function_counts_with_what_sam_makes_of_it() -> None:
    counts = counted({"A": {"Type": "AWS::Serverless::Function"}})
    assert counts == {f"AWS::Lambda::{kind}": 1 for kind in ("Function", "Version", "Alias", "EventInvokeConfig")}


def test_each_stage_is_described_with_the_next_one(few: Resources) -> None:
    names = [name.capitalize() for name in stages()]
    first, *_ = of_stages = [stage for stage in described(few) if stage["name"] in names]
    assert [stage["next"] for stage in of_stages] == [*names[1:], ""]
    properties = few[f"{first['name']}Function"]["Properties"]
    assert (first["memory"], first["timeout"]) == (properties["MemorySize"], properties["Timeout"])


def test_each_alarm_of_a_stage_is_described_with_its_metrics(many: Resources) -> None:
    alarms = [alarm for stage in described(many) for alarm in stage["alarms"]]
    assert alarms
    assert all(alarm["metric"] and alarm["description"] for alarm in alarms)
    assert [len(stage["alarms"]) for stage in described(many)][-1] >= 1


def test_what_watches_a_function_is_not_taken_for_anothers_whose_name_begins_alike() -> None:
    alarm = {"AlarmDescription": "", "MetricName": "Errors", "EvaluationPeriods": 1, "Threshold": 1}
    resources: Resources = {
        "Stage1Function": {"Type": "AWS::Serverless::Function", "Properties": FUNCTION},
        "Stage10Function": {"Type": "AWS::Serverless::Function", "Properties": FUNCTION},
        "Stage10ErrorsAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    assert [len(stage["alarms"]) for stage in described(resources)] == [0, 1]


def test_a_filter_is_described_with_the_metric_that_it_counts() -> None:
    counted = {"FilterPattern": "{ $.a = 1 }", "MetricTransformations": [{"MetricName": "StageFailures"}]}
    resources: Resources = {
        "StageFunction": {"Type": "AWS::Serverless::Function", "Properties": FUNCTION},
        "StageFailuresFilter": {"Type": "AWS::Logs::MetricFilter", "Properties": counted},
    }
    (stage,) = described(resources)
    assert stage["filters"] == [{"pattern": "{ $.a = 1 }", "metric": "StageFailures"}]
