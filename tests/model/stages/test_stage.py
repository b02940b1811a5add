import dataclasses
from typing import Any

import pytest

from model.project import LONGEST_STAGE
from model.stages.stage import FUNCTIONS

from ..pipelines import stage


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        *(({"memory": size}, rf"memory of 'processor' must be a multiple of 64 MB from 128 to 10240 \(got {size}\)")
          for size in (3, 0, 64, 100, 10304)),
        *(({"retries": count}, rf"retries of 'processor' must be 0, 1 or 2 \(got {count}\)") for count in (-1, 3)),
        *(({"description": text}, rf"must have 1 to 200 characters \(got {len(text)}\)") for text in ("", "a" * 201)),
        ({"provisioned": -1}, r"provisioned of 'processor' must be 0 or more instances \(got -1\)"),
    ],
)  # fmt: skip
def test_a_property_that_lambda_does_not_take_is_refused_by_name(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        stage("processor", **given)


@pytest.mark.parametrize("name", ["", "Fraud", "fraud-check", "fraud_check", "1st", "a" * (LONGEST_STAGE + 1)])
def test_a_name_that_is_no_single_short_word_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"must be one word of .* \(got '{name}'\)"):
        stage(name)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        *((name, "a module of Python's standard library") for name in ("email", "json", "queue", "types", "test")),
        ("boto3", "a module of Lambda's runtime"),
        ("record", "a module of functions/ without a handler"),
        ("core", "a package of functions/"),
    ],
)
def test_a_name_whose_module_would_take_anothers_place_is_refused(name: str, whose: str) -> None:
    with pytest.raises(ValueError, match=rf"must be free for its module .* \(got '{name}', which is {whose}"):
        stage(name)


def test_the_names_of_stages_that_are_there_and_of_new_ones_are_free() -> None:
    handlers = [path.stem for path in FUNCTIONS.glob("*.py") if path.stem != "record"]
    assert [stage(name).name for name in [*handlers, "emails", "counter"]] == [*handlers, "emails", "counter"]


def test_a_stage_stays_what_it_was_checked_to_be() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        stage("processor").memory = 3  # type: ignore[misc]
