from typing import Any

import pytest

from tests.model.translation import translate

from .linting import ROOT, read


@pytest.fixture(scope="session")
def committed() -> dict[str, Any]:
    """The template as it is committed, which is what is deployed."""
    return read(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def committed_translated(committed: dict[str, Any]) -> dict[str, Any]:
    return translate(committed)
