"""The deployment role and the project's own stack: what is added to the one has to be added to the other."""

from __future__ import annotations

from typing import Any

from model import build

from ..test_deployment_role import STACK, allowed, calls, policies

__all__ = ["allowed", "policies"]  # the fixtures


def test_every_call_for_the_stack_is_allowed(allowed: Any) -> None:
    wanted = calls(STACK, build().to_dict())
    assert len(wanted) > 40
    denied = {arn: actions - allowed(arn, actions) for arn, actions in wanted.items()}
    assert {arn: actions for arn, actions in denied.items() if actions} == {}
