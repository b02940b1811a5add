"""The runbook and the environments' settings keep up with the template."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from model import build
from model.project import NAME

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return build().to_dict()


def test_every_alarm_has_its_section_in_the_runbook(template: dict[str, Any]) -> None:
    _, _, text = (ROOT / "docs/runbook.md").read_text().partition("\n## Alarms\n")
    sections = set(re.findall(r"(?m)^### (.+)$", text.partition("\n## ")[0]))
    names = {
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix(f"{NAME}-").removesuffix("-${EnvironmentSuffix}")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert len(names) >= 17
    of_every_stage = r"^(?!table|dependency)\w+(?=-(failures|throttles|duration|event-age|lost-\w+)$)"
    assert sections == {re.sub(of_every_stage, "*stage*", name) for name in names}


def test_every_parameter_is_documented_with_its_default(template: dict[str, Any]) -> None:
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| *`?([^|`]*?)`? *\|", (ROOT / "docs/deployment.md").read_text()))
    assert rows == {name: str(p["Default"]) for name, p in template["Parameters"].items()}


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_each_environment_gives_values_that_the_template_takes(template: dict[str, Any], environment: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    overrides = config["parameter_overrides"]
    given = dict(item.split("=", 1) for item in (overrides.split() if isinstance(overrides, str) else overrides))
    for name, value in given.items():
        parameter = template["Parameters"][name]
        if "AllowedValues" in parameter:
            assert value in map(str, parameter["AllowedValues"]), name
        if "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], value), name
        if "MinValue" in parameter:
            assert int(value) >= parameter["MinValue"], name
    suffix = {"default": "dev"}.get(environment, environment)
    assert given["EnvironmentSuffix"] == suffix
    assert config["stack_name"] == f"{NAME}-{suffix}"


def test_trying_it_in_dev_costs_nothing_while_it_is_idle() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["deploy"]["parameters"]
    assert "ProcessorProvisionedConcurrency=0" in config["parameter_overrides"]


def test_prod_keeps_two_processors_warm_and_a_year_of_logs_and_protects_its_data() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["prod"]["deploy"]["parameters"]
    assert {"ProcessorProvisionedConcurrency=2", "LogRetentionDays=365", "ProtectData=true"} <= set(
        config["parameter_overrides"]
    )
