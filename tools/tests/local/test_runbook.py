"""The runbook's steps by hand, on the embedded AWS: what they do there is what the alarms' sections say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deployed import DeployedStack

DOCUMENTS = Path(__file__).resolve().parents[3] / "docs"
RUNBOOK = re.sub(r"\s+", " ", "".join((DOCUMENTS / name).read_text() for name in ("runbook.md", "deployment.md")))
RECORD = {"id": "a", "timestamp": 1, "data": 1}


class Alias:
    """The alias of the enricher, and a version of it that fails."""

    def __init__(self, stack: DeployedStack) -> None:
        self.client: Any = stack.client("lambda")
        self.names = {"FunctionName": stack.function("enricher"), "Name": "live"}
        self.good = self.now["FunctionVersion"]
        self.broken: list[str] = []

    @property
    def now(self) -> dict[str, Any]:
        alias: dict[str, Any] = self.client.get_alias(**self.names)
        return alias

    def publish_broken(self) -> str:
        function = self.names["FunctionName"]
        self.client.update_function_configuration(FunctionName=function, Handler="nothing.handler")
        version: str = self.client.publish_version(FunctionName=function)["Version"]
        self.broken.append(version)
        return version

    def set(self, version: str, weights: dict[str, float]) -> None:
        self.client.update_alias(
            **self.names,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights} if weights else {},
        )


@pytest.fixture
def alias(stack: DeployedStack) -> Iterator[Alias]:
    found = Alias(stack)
    yield found
    found.set(found.good, {})
    function = found.names["FunctionName"]
    found.client.update_function_configuration(FunctionName=function, Handler="enricher.handler")
    for version in found.broken:
        found.client.delete_function(FunctionName=function, Qualifier=version)


def test_a_failing_version_is_rolled_back_by_the_alias_and_what_failed_is_redriven(
    stack: DeployedStack, alias: Alias
) -> None:
    assert "aws lambda update-alias --function-name" in RUNBOOK
    alias.set(alias.publish_broken(), {})
    stack.submit(RECORD)
    stack.drain()
    (failure,) = stack.failures()
    assert failure.stage == "enricher"
    alias.set(alias.good, {})  # --function-version GOOD --routing-config '{}'
    stack.submit(RECORD)
    stack.drain()
    assert [item.id for item in stack.items()] == ["a"]


def test_routing_weights_that_were_left_behind_are_taken_away(stack: DeployedStack, alias: Alias) -> None:
    assert "--routing-config '{}'" in RUNBOOK
    alias.set(alias.good, {alias.publish_broken(): 0.5})
    assert alias.now["RoutingConfig"]["AdditionalVersionWeights"]
    alias.set(alias.good, {})
    assert not (alias.now.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    stack.submit(RECORD)
    stack.drain()
    assert len(stack.items()) == 1
