"""Producing the template: only what has the same resources is compared, each as people run it."""

import sys
from collections import Counter
from typing import Any

import pytest

from bench.benches.generation import NO_BYTE_CODE, UnlikeResources, _run, check_alike
from bench.benches.large_model import counted, described, repeated
from bench.harness.configured import stages
from model import build

Resources = dict[str, Any]
FUNCTION = {"Handler": "a.handler", "EventInvokeConfig": {"MaximumRetryAttempts": 0}}
OURS = Counter({"AWS::Lambda::Function": 147, "AWS::CloudWatch::Alarm": 588})


@pytest.fixture(scope="module")
def few() -> Resources:
    resources: Resources = build().to_dict()["Resources"]
    return resources


def test_a_copy_has_the_resources_of_every_stage(few: Resources) -> None:
    grown = counted(repeated(2 * len(stages())).to_dict()["Resources"]) - counted(few)
    counts = {grown[f"AWS::{kind}"] for kind in ("Lambda::Function", "Logs::LogGroup", "IAM::Role")}
    assert counts == {len(stages())}
    assert grown["AWS::CloudWatch::Alarm"] >= len(stages())


def test_each_stage_is_described_with_the_next_one_and_what_watches_it(few: Resources) -> None:
    names = [name.capitalize() for name in stages()]
    of_stages = [stage for stage in described(few) if stage["name"] in names]
    assert [stage["next"] for stage in of_stages] == [*names[1:], ""]
    assert all(stage["alarms"] for stage in of_stages)


def test_what_watches_a_function_is_not_taken_for_anothers_whose_name_begins_alike() -> None:
    resources: Resources = {
        "Stage1Function": {"Type": "AWS::Serverless::Function", "Properties": FUNCTION},
        "Stage10Function": {"Type": "AWS::Serverless::Function", "Properties": FUNCTION},
        "Stage10ErrorsAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
    }
    assert [len(stage["alarms"]) for stage in described(resources)] == [0, 1]


@pytest.mark.parametrize(
    "theirs", [OURS + Counter({"AWS::IAM::Policy": 147}), OURS - Counter({"AWS::CloudWatch::Alarm": 1})]
)
def test_a_peer_with_more_or_fewer_resources_is_refused(theirs: Counter[str]) -> None:
    check_alike(OURS, Counter(OURS))
    with pytest.raises(UnlikeResources, match="the CDK's app must write what the model has"):
        check_alike(OURS, theirs)


def test_what_is_measured_may_keep_its_byte_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_BYTE_CODE, "1")
    writes_none = "import sys; sys.exit(sys.flags.dont_write_bytecode)"
    assert _run(((sys.executable, "-c", writes_none),), {})["time (ms)"] > 0
