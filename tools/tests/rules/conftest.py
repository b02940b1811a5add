from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from pipeline.generated.render import render
from tests.model.translation import translate
from tests.own.pipeline import build


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """The template of the tests' own pipeline, read as a committed one is."""
    parsed: dict[str, Any] = yaml_parse(render(build()))
    return parsed


@pytest.fixture(scope="session")
def committed_translated(committed: dict[str, Any]) -> dict[str, Any]:
    return translate(committed)
