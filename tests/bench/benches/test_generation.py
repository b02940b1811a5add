"""The comparison of templates: only what has the same resources is compared."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.benches.generation import UnlikeResources, check_alike

OURS = Counter({"AWS::Lambda::Function": 147, "AWS::CloudWatch::Alarm": 588})


def test_templates_of_the_same_resources_are_compared() -> None:
    check_alike(OURS, Counter(OURS))


@pytest.mark.parametrize(
    "theirs", [OURS + Counter({"AWS::IAM::Policy": 147}), OURS - Counter({"AWS::CloudWatch::Alarm": 1})]
)
def test_a_peer_with_more_or_fewer_resources_is_refused(theirs: Counter[str]) -> None:
    with pytest.raises(UnlikeResources, match="the CDK's app must write what the model has"):
        check_alike(OURS, theirs)
