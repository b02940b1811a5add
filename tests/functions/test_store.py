"""The conditional write: what is the same record, what each answer means, and what is there before the first event."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
ITEM = {"id": {"S": "a"}, "timestamp": {"N": "1"}, "data": {"S": "1"}}
ENRICHED = ITEM | {"enriched": {"BOOL": True}}


@pytest.fixture
def store(processor: Any, dynamodb: Any) -> Any:
    return importlib.import_module("core.store")


def test_a_write_says_whether_it_wrote(store: Any, dynamodb: Any) -> None:
    assert [store.put(ENRICHED), store.put(ENRICHED)] == [True, False]


@pytest.mark.parametrize("spoilt", ["lost", "cut", "damaged", "page"])
def test_a_write_whose_answer_was_lost_finds_its_own_item(
    store: Any, dynamodb: Any, no_waiting: Any, spoilt: str
) -> None:
    dynamodb.spoilt = [spoilt]
    assert not store.put(ENRICHED)
    assert len(dynamodb.requests) == 2
    assert list(dynamodb.items.values()) == [ENRICHED]


def test_a_conflict_is_found_whatever_answers_are_lost(store: Any, dynamodb: Any, no_waiting: Any) -> None:
    store.put(ENRICHED)
    dynamodb.spoilt = ["lost"] * 3
    with pytest.raises(store.ConflictingRecord):
        store.put(ENRICHED | {"data": {"S": "2"}})
    assert list(dynamodb.items.values()) == [ENRICHED]


def test_an_endpoint_that_does_not_return_the_stored_item_is_a_conflict(store: Any, dynamodb: Any) -> None:
    dynamodb.returns_old_item = False
    store.put(ENRICHED)
    with pytest.raises(store.ConflictingRecord):
        store.put(ENRICHED)


SOURCE = {"source": {"S": "shop"}}


@pytest.fixture
def with_a_source(store: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare another field that producers send."""
    monkeypatch.setattr(store, "_COMPARED", ["data", "source"])
    dynamodb.compared = ["data", "source"]


@pytest.mark.parametrize("first", [ITEM, ENRICHED], ids=["bare", "enriched"])
@pytest.mark.parametrize("second", [ITEM, ENRICHED], ids=["bare", "enriched"])
@pytest.mark.parametrize("sources", [(SOURCE, {"source": {"S": "app"}}), (SOURCE, {}), ({}, SOURCE)])
@pytest.mark.usefixtures("with_a_source")
def test_another_value_of_a_field_or_none_is_another_record(
    store: Any, dynamodb: Any, first: Any, second: Any, sources: Any
) -> None:
    store.put(first | sources[0])
    with pytest.raises(store.ConflictingRecord):
        store.put(second | sources[1])
    assert list(dynamodb.items.values()) == [first | sources[0]]


@pytest.mark.parametrize("source", [SOURCE, {}], ids=["with", "without"])
@pytest.mark.usefixtures("with_a_source")
def test_the_same_value_of_a_field_or_none_is_the_same_record(store: Any, dynamodb: Any, source: Any) -> None:
    assert [store.put(item | source) for item in (ITEM, ENRICHED, ENRICHED)] == [True, True, False]
    assert list(dynamodb.items.values()) == [ENRICHED | source]


def test_the_client_is_made_once(store: Any) -> None:
    assert store.client() is store.client()


def test_a_missing_table_name_is_said(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(store.ConfigurationError, match=r"^TABLE_NAME must be set to the name of the data table$"):
        store.put(ITEM)


def clients_after_import(**environment: str) -> int:
    """Import the module in a fresh interpreter with that environment; return how many clients it made."""
    code = "import json; from core import store; print(json.dumps(store.client.cache_info().currsize))"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "TABLE_NAME"}
    env = {**bare, "PYTHONPATH": str(FUNCTIONS), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    made: int = json.loads(done.stdout)
    return made


def test_importing_it_needs_neither_region_nor_table() -> None:
    assert clients_after_import() == 0


IN_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "processor-dev", "AWS_REGION": "eu-west-1"}


def test_in_lambda_the_connection_is_open_before_the_first_event(dynamodb: Any, endpoint: Any) -> None:
    before = dynamodb.connections
    assert clients_after_import(**IN_LAMBDA, AWS_ENDPOINT_URL_DYNAMODB=endpoint[1]) == 1
    dynamodb.wait_for_connections(before + 1)
    assert dynamodb.requests == []


def test_an_init_that_cannot_reach_the_table_is_no_failed_init(unused_port: int) -> None:
    assert clients_after_import(**IN_LAMBDA, AWS_ENDPOINT_URL=f"http://127.0.0.1:{unused_port}") == 1
