"""Which stack a command is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deployed import ROOT

from ..conftest import Ran
from ..fake_aws import STACK, Failure, FakeAws

Run = Callable[..., Ran]
OTHER = STACK.replace("-dev", "-prod")


@pytest.fixture
def unnamed(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's folder, without a variable that names a stack."""
    monkeypatch.delenv("PIPELINE_STACK")
    monkeypatch.chdir(ROOT)


def test_the_projects_stack_needs_no_name(unnamed: None, operate: Run) -> None:
    assert operate("dead-letters", "--count").code == 0


def test_with_several_stacks_a_command_asks_which(aws: FakeAws, unnamed: None, operate: Run) -> None:
    aws.others = [OTHER]
    ran = operate("dead-letters", "--count")
    assert (ran.code, ran.error) == (
        2,
        f"There are several such stacks in us-east-1 ({STACK}, {OTHER}): name one by --stack-name or PIPELINE_STACK.",
    )


@pytest.mark.parametrize("named", ["option", "variable"])
def test_a_name_is_an_answer(aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    aws.others = [OTHER]
    if named == "variable":
        monkeypatch.setenv("PIPELINE_STACK", STACK)
    assert operate("dead-letters", "--count", *(["--stack-name", STACK] if named == "option" else [])).code == 0


def test_the_option_comes_before_the_variable(aws: FakeAws, operate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_STACK", "nothing")
    assert operate("dead-letters", "--count").code == 3
    assert operate("dead-letters", "--count", "--stack-name", STACK).code == 0


def test_who_may_see_one_stack_alone_gets_the_projects(aws: FakeAws, unnamed: None, operate: Run) -> None:
    aws.others = [OTHER]
    aws.failures["DescribeStacks"] = [Failure(403, "AccessDenied")]
    assert operate("dead-letters", "--count").code == 0
