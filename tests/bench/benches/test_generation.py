"""The time to produce the template: only what has the same resources is compared, each as people run it."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from bench.benches.generation import NO_BYTE_CODE, UnlikeResources, _run, check_alike

OURS = Counter({"AWS::Lambda::Function": 147, "AWS::CloudWatch::Alarm": 588})


def test_templates_of_the_same_resources_are_compared() -> None:
    check_alike(OURS, Counter(OURS))


@pytest.mark.parametrize(
    "theirs", [OURS + Counter({"AWS::IAM::Policy": 147}), OURS - Counter({"AWS::CloudWatch::Alarm": 1})]
)
def test_a_peer_with_more_or_fewer_resources_is_refused(theirs: Counter[str]) -> None:
    with pytest.raises(UnlikeResources, match="the CDK's app must write what the model has"):
        check_alike(OURS, theirs)


def test_what_is_measured_may_keep_its_byte_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NO_BYTE_CODE, "1")
    writes_none = "import sys; sys.exit(sys.flags.dont_write_bytecode)"
    assert _run(((sys.executable, "-c", writes_none),), {})["time (ms)"] > 0
