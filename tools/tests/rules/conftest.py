import functools
from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.translator import translator
from samtranslator.yaml_helper import yaml_parse

from pipeline.generated.render import render
from tests.model.translation import translate
from tests.own.pipeline import build


@pytest.fixture(scope="session", autouse=True)
def _sam_checks_itself_once() -> Iterator[None]:
    """Keep SAM's policy templates: its translator validates them again for each template, which takes longest."""
    with pytest.MonkeyPatch.context() as patch:
        name = "make_policy_template_for_function_plugin"
        patch.setattr(translator, name, functools.cache(getattr(translator, name)))
        yield


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """The template of the tests' own pipeline, read as a committed one is."""
    parsed: dict[str, Any] = yaml_parse(render(build()))
    return parsed


@pytest.fixture(scope="session")
def committed_translated(committed: dict[str, Any]) -> dict[str, Any]:
    return translate(committed)
