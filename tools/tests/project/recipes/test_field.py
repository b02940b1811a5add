"""The worked example of docs/extending.md: another field of the record, by one line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.tests.copies import LEFT_OUT, ROOT

from . import changes

OWN = ROOT / "tests/own"  # the second stage

# Sends each event of its input through the three handlers; prints what becomes of it.
SCRIPT = """
import json, sys
sys.path[:0] = sys.argv[1:]
import enricher, processor, validator

def envelope(event, result):
    return {"requestContext": {}, "requestPayload": event, "responsePayload": result}

def through(event):
    for stage in (validator, enricher, processor):
        try:
            result = stage.handler(event, Context())
        except ValueError as refusal:
            return f"{stage.__name__}: {refusal}"
        event = envelope(event, result)
    return result["body"]

class Context:
    aws_request_id = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"

print(json.dumps([through(event) for event in json.load(sys.stdin)]))
"""
CONFLICT = "processor: Invalid data: another record with the same id and timestamp is stored"


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "functions", copy / "functions", ignore=LEFT_OUT)
    return changes.make(copy, [changes.add_a_field]) / "functions"


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "timestamp": 1, "data": number, **fields}


def through(functions: Path, dynamodb: Any, *events: Any) -> list[str]:
    """Send events through the extended handlers; return the answer or the refusal of each."""
    dynamodb.compared = ["data", "source"]
    command = [sys.executable, "-c", SCRIPT, str(OWN), str(functions)]
    done = subprocess.run(command, input=json.dumps(events), capture_output=True, text=True, check=True, timeout=60)
    answers: list[str] = json.loads(done.stdout)
    return answers


def sources(dynamodb: Any) -> dict[str, Any]:
    """Return what is stored of the field, by record."""
    return {item["id"]["S"]: item.get("source") for item in dynamodb.items.values()}


def test_the_field_passes_the_three_stages_and_is_stored(functions: Path, dynamodb: Any) -> None:
    assert through(functions, dynamodb, record(1, source="shop"), record(2)) == ["Success", "Success"]
    assert sources(dynamodb) == {"r1": {"S": "shop"}, "r2": None}
    assert all(item["enriched"] == {"BOOL": True} for item in dynamodb.items.values())


def test_the_field_is_stored_with_each_record_of_a_batch(functions: Path, dynamodb: Any) -> None:
    assert through(functions, dynamodb, [record(1, source="shop"), record(2), record(3, source=7)]) == ["Success"]
    assert sources(dynamodb) == {"r1": {"S": "shop"}, "r2": None}
    assert dynamodb.queue.reasons() == ["Invalid data: source must be a string (got an integer)"]


def test_a_wrong_value_is_refused_by_the_first_stage(functions: Path, dynamodb: Any) -> None:
    assert through(functions, dynamodb, record(1, source="x" * 65)) == [
        "validator: Invalid data: source must be at most 64 bytes of UTF-8 (got 65)"
    ]


@pytest.mark.parametrize("again", [{"source": "app"}, {}], ids=["another", "none"])
def test_another_value_under_the_same_key_is_another_record(functions: Path, dynamodb: Any, again: Any) -> None:
    first, same = record(1, source="shop"), record(1, source="shop")
    assert through(functions, dynamodb, first, same, record(1, **again)) == ["Success", "Success", CONFLICT]
    assert sources(dynamodb) == {"r1": {"S": "shop"}}


def test_another_value_in_a_batch_is_a_letter(functions: Path, dynamodb: Any) -> None:
    assert through(functions, dynamodb, [record(1, source="shop"), record(1, source="app")]) == ["Success"]
    assert sources(dynamodb) == {"r1": {"S": "shop"}}
    assert dynamodb.queue.reasons() == [CONFLICT.removeprefix("processor: ")]
