import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records.json_text import Part, member, parts, replaced

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)
containers = st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=3), values, max_size=4)
spaces = st.sampled_from([None, 2, "\t"])


@given(value=containers, indent=spaces)
def test_the_parts_are_the_values_as_they_stand(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    found = [(part.name, json.loads(text[part.start : part.end])) for part in parts(text)]
    assert found == (list(value.items()) if isinstance(value, dict) else [("", one) for one in value])


@given(value=containers, indent=spaces)
def test_parts_can_be_replaced(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent)
    found = list(parts(text))
    after = json.loads(replaced(text, found, ["7"] * len(found)))
    assert after == (dict.fromkeys(value, 7) if isinstance(value, dict) else [7] * len(value))
    assert replaced(text, found, [text[part.start : part.end] for part in found]) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"a":1}', "1"), (' { "a" : 1e400 , "b":2 } ', "1e400"), ('{"a": 1, "a": [2]}', "[2]"), ('{"\\u0061": 3}', "3")],
)
def test_the_last_member_of_a_name_is_found_as_it_is_written(text: str, expected: str) -> None:
    found = member(text, "a")
    assert text[found.start : found.end] == expected


def test_a_text_can_be_a_part_of_itself() -> None:
    assert replaced("12", [Part("", 0, 2)], ["3"]) == "3"
