from typing import Any

import pytest

from ..own.pipeline import build
from .resolution import resolve
from .translation import translate


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return build().to_dict()


@pytest.fixture(scope="session")
def translated(template: dict[str, Any]) -> dict[str, Any]:
    return translate(template)


@pytest.fixture(scope="session")
def resolved(translated: dict[str, Any]) -> dict[str, Any]:
    """The template as it is deployed with the default parameters."""
    return resolve(translated, {})
