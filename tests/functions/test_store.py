"""The conditional write and its client: what is retried, what passes on, and how long it may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

FUNCTIONS = Path(__file__).parents[2] / "functions"
ITEM = {"id": {"S": "a"}, "timestamp": {"N": "1"}, "data": {"S": "1"}}
FUNCTION_TIMEOUT = 60  # seconds


@pytest.fixture
def store(processor: Any, dynamodb: Any) -> Any:
    return processor.store


def test_a_write_says_whether_it_wrote(store: Any, dynamodb: Any) -> None:
    enriched = ITEM | {"enriched": {"BOOL": True}}
    assert [store.put(enriched), store.put(enriched)] == [True, False]


@pytest.mark.parametrize(
    "answer",
    [
        (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        (400, "com.amazonaws.dynamodb.v20120810#ThrottlingException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_throttling_and_server_errors_are_retried(store: Any, dynamodb: Any, no_waiting: Any, answer: Any) -> None:
    dynamodb.failures = [answer] * 4
    assert store.put(ITEM)
    assert len(dynamodb.requests) == 5
    assert len(no_waiting) == 4


def test_throttling_that_lasts_passes_on_as_it_is(store: Any, dynamodb: Any, no_waiting: Any) -> None:
    dynamodb.always = (400, "ThrottlingException")
    with pytest.raises(ClientError, match="ThrottlingException"):
        store.put(ITEM)
    assert len(dynamodb.requests) == 5


@pytest.mark.parametrize("name", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_other_errors_pass_on_at_once(store: Any, dynamodb: Any, name: str) -> None:
    dynamodb.always = (400, name)
    with pytest.raises(ClientError, match=name):
        store.put(ITEM)
    assert len(dynamodb.requests) == 1


def test_an_endpoint_that_does_not_return_the_stored_item_is_a_conflict(store: Any, dynamodb: Any) -> None:
    dynamodb.returns_old_item = False
    enriched = ITEM | {"enriched": {"BOOL": True}}
    store.put(enriched)
    with pytest.raises(store.ConflictingRecord):
        store.put(enriched)


def test_an_endpoint_that_does_not_answer_is_given_up(
    store: Any, dynamodb: Any, no_waiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_CONFIG", store._CONFIG.merge(Config(read_timeout=0.1)))
    store.client.cache_clear()
    dynamodb.silent.set()
    try:
        with pytest.raises(ReadTimeoutError):
            store.put(ITEM)
    finally:
        store.client().close()
        store.client.cache_clear()
    assert len(dynamodb.requests) == 5


def test_the_longest_write_is_well_inside_the_functions_timeout(store: Any) -> None:
    config = store.client().meta.config
    attempts = config.retries["total_max_attempts"]
    waits = [min(2**n, 20) for n in range(attempts - 1)]  # the standard mode's longest, in seconds
    assert attempts * (config.connect_timeout + config.read_timeout) + sum(waits) <= FUNCTION_TIMEOUT - 20


def test_the_client_is_in_the_functions_region(store: Any) -> None:
    assert store.client().meta.region_name == "eu-west-1"


def test_the_client_is_made_once(store: Any) -> None:
    assert store.client() is store.client()


def test_a_missing_table_name_is_said(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(store.ConfigurationError, match=r"^TABLE_NAME must be set to the name of the data table$"):
        store.put(ITEM)


def clients_after_import(**environment: str) -> int:
    """Import the module in a fresh interpreter with that environment; return how many clients it made."""
    code = "import json, store; print(json.dumps(store.client.cache_info().currsize))"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "TABLE_NAME"}
    env = {**bare, "PYTHONPATH": str(FUNCTIONS), "AWS_CONFIG_FILE": os.devnull, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    made: int = json.loads(done.stdout)
    return made


def test_importing_it_needs_neither_region_nor_table() -> None:
    assert clients_after_import() == 0


def test_in_lambda_the_client_is_made_in_init() -> None:
    assert clients_after_import(AWS_LAMBDA_FUNCTION_NAME="processor-dev", AWS_REGION="eu-west-1") == 1
