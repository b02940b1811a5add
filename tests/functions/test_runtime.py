"""The stages run on Lambda's own Python, and load no more than they use."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import QUEUE_URL

FUNCTIONS = Path(__file__).parents[2] / "functions"
OWN = Path(__file__).parents[1] / "own"  # the second stage
SCRIPT = """
import json, sys
sys.path[:0] = sys.argv[1:]
sys.modules["core.data_schema"] = None  # the project's own, if it has one
import enricher, validator

def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value

def refusal(data):
    try:
        validator.handler({"id": "order-1", "data": data}, None)
    except ValueError as error:
        return type(error).__name__ + ": " + str(error)

event = {"id": "order-1", "timestamp": 1, "data": nested(400)}
result = enricher.handler({"requestContext": {}, "responsePayload": validator.handler(event, None)}, None)
print(json.dumps({
    "python": list(sys.version_info[:2]),
    "same": result["data"] == event["data"] and result["enriched"],
    "refusals": [refusal(data) for data in (None, float("nan"), "\\ud800", 10**6000, nested(401), nested(100_000))],
    "loaded": sorted({"typing", "dataclasses", "botocore", "core.aws", "core.batch"} & set(sys.modules)),
}))
"""
REFUSALS = [
    "InvalidRecord: Invalid data: missing data field",
    "InvalidRecord: Invalid data: data must not hold NaN or Infinity",
    "InvalidRecord: Invalid data: data must not hold a lone surrogate, which UTF-8 cannot encode",
    "InvalidRecord: Invalid data: data must be a value that can be encoded as JSON",
    "InvalidRecord: Invalid data: data must be nested at most 400 levels deep",
    "InvalidRecord: Invalid data: data must be nested at most 400 levels deep",
]


def works(interpreter: str) -> bool:
    """Say whether a command is there and runs: version managers put commands on PATH that do not."""
    if not shutil.which(interpreter):
        return False
    version = "import sys; sys.exit(sys.version_info[:2] != (3, 13))"
    return subprocess.run([interpreter, "-c", version], capture_output=True, check=False, timeout=60).returncode == 0


def python313() -> str:
    pyenv = Path.home().glob(".pyenv/versions/3.13*/bin/python3.13")
    candidates = [os.environ.get("PYTHON313", ""), "python3.13", *map(str, pyenv)]
    found = next((candidate for candidate in candidates if candidate and works(candidate)), None)
    return found or pytest.skip("no Python 3.13 here (PYTHON313 may name one)")


@pytest.fixture(params=[False, True], ids=["this", "lambda"])
def newer(request: pytest.FixtureRequest) -> bool:
    """Whether the stages run on Lambda's Python instead of this one."""
    return bool(request.param)


def said(script: str, environment: dict[str, str] | None = None, *, newer: bool) -> Any:
    interpreter = python313() if newer else sys.executable
    command = [interpreter, "-I", "-S", "-c", script, str(OWN), str(FUNCTIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment)
    return json.loads(done.stdout)


def test_the_pure_stages_run_alike_on_this_and_on_lambdas_python(newer: bool) -> None:
    answer = said(SCRIPT, newer=newer)
    assert answer["same"]
    assert answer["refusals"] == REFUSALS
    assert answer["loaded"] == []
    assert not newer or answer["python"] == [3, 13]


ALL_STAGES = """
import json, sys
sys.path[:0] = sys.argv[1:]
sys.modules["core.data_schema"] = None
import enricher, processor, validator

def envelope(payload):
    return {"requestContext": {}, "responsePayload": payload}

validated = validator.handler({"id": "order-1", "timestamp": 1, "data": {"total": 12.5}}, None)
answers = [processor.handler(envelope(enricher.handler(envelope(validated), None)), None)]
for_batches = {"core.batch", "core.bulk", "core.dead_letters", "core.inserts"}
early = sorted(for_batches & set(sys.modules))

class Context:
    aws_request_id = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"

batch = [{"id": "order-2", "timestamp": 1, "data": 2}, {"id": "order-3"}, {"id": "order-1", "timestamp": 1, "data": 3}]
validated = validator.handler(batch, Context())
answers.append(processor.handler(envelope(enricher.handler(envelope(validated), Context())), Context()))
loaded = {name.partition(".")[0] for name in sys.modules} - {"__main__"}
print(json.dumps({"answers": answers, "early": early, "others": sorted(loaded - sys.stdlib_module_names)}))
"""


def test_the_stages_need_nothing_but_pythons_standard_library(newer: bool, endpoint: Any, dynamodb: Any) -> None:
    environment = {
        **{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
        **{"AWS_ENDPOINT_URL": endpoint[1], "AWS_LAMBDA_FUNCTION_NAME": "processor"},
        **{"TABLE_NAME": "records", "DEAD_LETTER_QUEUE_URL": QUEUE_URL},
    }
    answer = said(ALL_STAGES, environment, newer=newer)
    assert [one["statusCode"] for one in answer["answers"]] == [200, 200]
    assert list(dynamodb.items) == [("order-1", 1), ("order-2", 1)]
    assert len(dynamodb.queue.messages) == 2
    assert answer["early"] == []
    own = {"core", *(module.stem for folder in (OWN, FUNCTIONS) for module in folder.glob("*.py"))}
    assert {"core", "processor"} <= set(answer["others"]) <= own
