from typing import Any

import pytest

from model import build

from .translation import translate


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    return build().to_dict()


@pytest.fixture(scope="session")
def translated(template: dict[str, Any]) -> dict[str, Any]:
    return translate(template)
