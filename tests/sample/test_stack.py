"""The sample's own stages: their order, their sizes and their retries."""

from typing import Any

import pytest

from model import build
from model.project import TAGS
from pipeline.generated.diagram import draw

STAGES = {"Validator": (512, 0), "Enricher": (768, 2), "Processor": (512, 2)}  # memory in MB, retries


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    resources: dict[str, Any] = build().to_dict()["Resources"]
    return resources


def test_each_stage_has_its_size_and_its_retries(resources: dict[str, Any]) -> None:
    functions = {stage: resources[f"{stage}Function"]["Properties"] for stage in STAGES}
    assert {
        stage: (f["MemorySize"], f["EventInvokeConfig"]["MaximumRetryAttempts"]) for stage, f in functions.items()
    } == STAGES
    assert {(f["Timeout"], f["Runtime"]) for f in functions.values()} == {(60, "python3.13")}


def test_each_stage_hands_on_to_the_next(resources: dict[str, Any]) -> None:
    assert [name for name in resources if "Invokes" in name and not name.startswith("Files")] == [
        "ValidatorInvokesEnricher",
        "EnricherInvokesProcessor",
    ]


def test_the_tags_are_those_of_the_seed(resources: dict[str, Any]) -> None:
    tags = resources["ValidatorFunction"]["Properties"]["Tags"]
    assert tags == {
        "Environment": {"Ref": "EnvironmentSuffix"},
        "Project": TAGS["Project"],
        "ManagedBy": "SAM",
        "CostCenter": "Engineering",
    }


def test_the_picture_shows_them() -> None:
    assert 'EnricherFunction["enricher:live<br>768 MB"]' in draw(build())
