"""What is no JSON, and what is nested too deep, in a few words for a refusal."""

from __future__ import annotations

import json
import math

import pytest

from core.json_faults import json_fault
from record import MAX_DEPTH

TOO_DEEP = "must be nested at most 400 levels deep"
NO_JSON = "must be a value that can be encoded as JSON"


def nested(depth: int) -> object:
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (nested(MAX_DEPTH), None),
        (nested(MAX_DEPTH + 1), TOO_DEEP),
        (nested(100_000), TOO_DEEP),
        ([[{}]] * 10_000, None),
        (math.nan, "must not hold NaN or Infinity"),
        ({"a": [-math.inf]}, "must not hold NaN or Infinity"),
        (b"bytes", NO_JSON),
        ({1: "a", "b": "c"}, NO_JSON),
        ([math.nan, b"bytes"], NO_JSON),
    ],
    ids=lambda value: str(value)[:30] if not isinstance(value, (list, dict)) else "",
)
def test_a_fault_is_named(value: object, fault: str | None) -> None:
    assert json_fault(value, "", MAX_DEPTH) == fault


def test_a_value_whose_json_is_known_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.json_faults._canonical", lambda value: pytest.fail("encoded again"))
    assert json_fault(nested(MAX_DEPTH + 1), json.dumps(nested(MAX_DEPTH + 1)), MAX_DEPTH) == TOO_DEEP
