"""While stages are put in, taken out, renamed and reordered no result is sent where it cannot arrive."""

import copy
import functools
from typing import Any

import pytest

from ..pipelines import stack_of, stage
from ..resolution import resolve
from ..translation import translate
from ..updates import Resources, before_clean_up, moments, undeliverable, without_settings

CASES = {
    "put in between": ("a b c", "a x b c"),
    "put in first": ("a b c", "x a b c"),
    "put in last": ("a b c", "a b c x"),
    "renamed": ("a b c", "a x c"),
    "renamed first": ("a b c", "x b c"),
    "renamed last": ("a b c", "a b x"),
    "reordered": ("a b c d", "a c b d"),
    "turned round": ("a b c", "c b a"),
    "retired": ("a b c", "a -b c"),
    "taken out after its retirement": ("a -b c", "a c"),
    "retired last": ("a b c", "a b -c"),
    "retired for another": ("a b c", "a x -b c"),
}


def template(names: str) -> dict[str, Any]:
    """Build the stack of the named stages; one with a hyphen is retired."""
    stages = (stage(name.removeprefix("-"), retired=name.startswith("-")) for name in names.split())
    return stack_of(*stages).to_dict()


def followers(names: str) -> dict[str, str]:
    stages = names.split()
    found = {}
    for place, name in enumerate(stages):
        active = [other for other in stages[place + 1 :] if not other.startswith("-")]
        found |= {name.removeprefix("-"): active[0]} if active else {}
    return found


def with_rights_in_the_policies(template: dict[str, Any]) -> dict[str, Any]:
    """Put the rights to hand on where they once were: into the policy of the stage that hands on."""
    old_style = copy.deepcopy(template)
    resources = old_style["Resources"]
    for name in [name for name in resources if "Invokes" in name]:
        right, giver = resources.pop(name)["Properties"], name.partition("Invokes")[0]
        resources[f"{giver}Policy"]["Properties"]["PolicyDocument"]["Statement"] += right["PolicyDocument"]["Statement"]
        del resources[f"{giver}Function"]["DependsOn"]
    return old_style


def in_force(template: dict[str, Any], gradual: str = "false") -> Resources:
    choice = {"GradualDeployment": gradual}
    resources: Resources = resolve(translate(template, **choice), choice)["Resources"]
    return resources


@functools.cache
def deployed(names: str, gradual: str) -> Resources:
    return in_force(template(names), gradual)


@functools.cache
def deployed_in_the_old_style(names: str, gradual: str) -> Resources:
    return in_force(with_rights_in_the_policies(template(names)), gradual)


@pytest.fixture(params=["false", "true"], ids=["all at once", "gradually"])
def gradual(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["forth", "back"])
def back(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=CASES)
def names(request: pytest.FixtureRequest, back: bool) -> tuple[str, str]:
    old, new = CASES[request.param]
    return (new, old) if back else (old, new)


def test_at_no_moment_are_results_sent_without_the_right_to(names: tuple[str, str], gradual: str) -> None:
    old, new = (deployed(stages, gradual) for stages in names)
    seen = list(moments(old, new))
    assert len(seen) > 5
    assert [found for moment in seen if (found := undeliverable(moment))] == []


def test_at_no_moment_is_a_stage_sent_results_before_it_hands_on_its_own(names: tuple[str, str], gradual: str) -> None:
    old, new = (deployed(stages, gradual) for stages in names)
    assert [found for moment in before_clean_up(old, new) if (found := without_settings(moment))] == []


def test_a_roll_back_from_any_moment_finds_the_old_rights(names: tuple[str, str]) -> None:
    old, new = (deployed(stages, "true") for stages in names)
    for stopped in before_clean_up(old, new):
        assert [found for moment in moments(stopped, old) if (found := undeliverable(moment))] == []


def test_rights_in_the_policies_would_leave_moments_without_one(names: tuple[str, str], gradual: str) -> None:
    old, new = (deployed_in_the_old_style(stages, gradual) for stages in names)
    assert undeliverable(old) == undeliverable(new) == []
    gaps = [found for moment in moments(old, new) if (found := undeliverable(moment))]
    before, after = map(followers, names)
    stay = names[1].replace("-", "").split()
    loses = [stage for stage in stay if stage in before and before[stage] != after.get(stage)]
    assert bool(gaps) == bool(loses), "a stage that stays, and hands on to another or to none from now on"


def test_settings_that_nothing_waits_for_would_come_too_late() -> None:
    old, new = (template(stages) for stages in ("a b c", "a x b c"))
    del new["Resources"]["AInvokesX"]["DependsOn"]
    found = [without_settings(moment) for moment in before_clean_up(in_force(old), in_force(new))]
    assert ["XFunctionAliaslive"] in found


def test_the_right_is_made_before_the_settings_and_for_one_alias_alone() -> None:
    resources = deployed("a b", "false")
    right = resources["AInvokesB"]["Properties"]
    assert right["Roles"] == [{"Ref": "ARole"}]
    assert right["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [{"Ref": "BFunctionAliaslive"}]}
    ]
    assert resources["AFunction"]["DependsOn"] == "AInvokesB"
