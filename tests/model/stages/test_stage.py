import dataclasses

import pytest

from model.project import LONGEST_STAGE
from model.stages.stage import FUNCTIONS

from ..pipelines import stage


@pytest.mark.parametrize("memory", [3, 0, 64, 100, 10304])
def test_a_memory_that_is_no_size_is_refused_by_name(memory: int) -> None:
    with pytest.raises(
        ValueError, match=rf"memory of 'processor' must be a multiple of 64 MB from 128 to 10240 \(got {memory}\)"
    ):
        stage("processor", memory=memory)


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
    with pytest.raises(
        ValueError, match=rf"must be free for its module in functions/ \(got '{name}', which is {whose}"
    ):
        stage(name)


def test_the_names_of_stages_that_are_there_and_of_new_ones_are_free() -> None:
    handlers = [path.stem for path in FUNCTIONS.glob("*.py") if path.stem != "record"]
    assert [stage(name).name for name in [*handlers, "emails", "counter"]] == [*handlers, "emails", "counter"]


@pytest.mark.parametrize("retries", [-1, 3])
def test_a_number_of_retries_that_lambda_does_not_offer_is_refused(retries: int) -> None:
    with pytest.raises(ValueError, match=rf"retries of 'processor' must be 0, 1 or 2 \(got {retries}\)"):
        stage("processor", retries=retries)


@pytest.mark.parametrize("description", ["", "a" * 201])
def test_a_description_that_is_empty_or_leaves_no_room_for_the_digest_is_refused(description: str) -> None:
    with pytest.raises(ValueError, match=rf"must have 1 to 200 characters \(got {len(description)}\)"):
        stage("processor", description=description)


def test_a_negative_number_of_warm_instances_is_refused() -> None:
    with pytest.raises(ValueError, match=r"provisioned of 'processor' must be 0 or more instances \(got -1\)"):
        stage("processor", provisioned=-1)


def test_a_stage_stays_what_it_was_checked_to_be() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        stage("processor").memory = 3  # type: ignore[misc]
