"""What holds of the project's own stack, whatever its stages are: the tests of the mechanism have a pipeline apart."""

from pathlib import Path
from typing import Any

import pytest

from model import build
from model.project import NAME
from pipeline.project import default_stack

from .model.test_combinations import (
    test_a_combination_refers_to_nothing_that_is_not_there,
)
from .model.test_parameters import (
    test_a_physical_name_with_the_longest_suffix_stays_within_64_characters,
    test_every_parameter_has_its_place_and_its_label_in_the_console,
    test_every_parameter_without_a_pattern_has_its_values_or_its_least,
)
from .model.test_project import (
    test_every_physical_name_begins_with_the_project_and_ends_with_the_environment,
    test_the_longest_project_leaves_room_for_the_stages_that_there_are,
)

__all__ = [
    "test_a_combination_refers_to_nothing_that_is_not_there",
    "test_a_physical_name_with_the_longest_suffix_stays_within_64_characters",
    "test_every_parameter_has_its_place_and_its_label_in_the_console",
    "test_every_parameter_without_a_pattern_has_its_values_or_its_least",
    "test_every_physical_name_begins_with_the_project_and_ends_with_the_environment",
    "test_the_longest_project_leaves_room_for_the_stages_that_there_are",
]


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return build().to_dict()


@pytest.fixture(scope="module")
def model(template: dict[str, Any]) -> dict[str, Any]:
    return template


def test_every_function_has_the_module_of_its_handler(template: dict[str, Any]) -> None:
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    root = Path(__file__).resolve().parent.parent
    for function in functions:
        assert (root / function["CodeUri"] / f"{function['Handler'].partition('.')[0]}.py").is_file()


def test_the_pipeline_begins_with_the_validator_and_stores_by_the_processor(template: dict[str, Any]) -> None:
    assert {"DataTable", "DeadLetterQueue", "ValidatorFunction", "ProcessorFunction"} <= set(template["Resources"])


def test_the_tools_look_for_a_stack_of_the_projects_name() -> None:
    assert default_stack(Path(__file__).resolve().parent.parent) == f"{NAME}-dev"
