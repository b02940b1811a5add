"""The check of data says what JSON Schema says, by the path and the rule, and never what a record holds."""

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.generated.schema import FORMATS, UnusableSchemaError, compiled


def check(schema: Any) -> Callable[[Any], str | None]:
    """Return what the written module says of data."""
    module: dict[str, Any] = {}
    exec(compiled(schema if isinstance(schema, str) else json.dumps(schema)), module)

    def fault(data: Any) -> str | None:
        try:
            module["validate"](data)
        except module["JsonSchemaValueException"] as error:
            return str(error)
        return None

    return fault


NAMES = st.sampled_from(["a", "b", "a-b", "A", "{x}", 'q"', "é\n", "$ref", "id", ""])
TEXTS = st.sampled_from(["", "a", "b\n", "ab", "aé", "7", "a\\\"'{}", "2026-02-28"]) | st.text(max_size=3)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -1.5, 1e17, 10**17, 1e300, 2**70])
ATOMS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
SIZES = st.integers(0, 3)
TYPES = st.sampled_from(["null", "boolean", "number", "integer", "string", "array", "object"])
PATTERNS = st.sampled_from(["a", "^a", "b$", "^[a$]", r"\d", "^.$", r"\$", "a|b", "é"])


USUAL = ("type", "properties", "items", "additionalProperties", "required")


def schemas_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(NAMES, inner, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), SIZES),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
        "multipleOf": st.integers(1, 3) | st.just(0.5),
        "uniqueItems": st.booleans(),
        "pattern": PATTERNS,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "properties": named,
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        **dict.fromkeys(
            ("additionalProperties", "items", "contains", "not", "propertyNames", "if", "then", "else"), inner
        ),
        **dict.fromkeys(("allOf", "anyOf", "oneOf"), st.lists(inner, min_size=1, max_size=2)),
        "description": st.just("a note"),
    }
    few = st.lists(st.sampled_from(sorted(keywords)), max_size=7, unique=True)
    usual = st.lists(st.sampled_from(USUAL), max_size=len(USUAL), unique=True)
    return (few | usual).flatmap(lambda names: st.fixed_dictionaries({name: keywords[name] for name in names}))


REFERENCES = st.sampled_from(["#", "#/$defs/A", "#/$defs/a", "#/definitions/a"]).map(lambda at: {"$ref": at})
SCHEMAS = st.recursive(st.booleans() | st.just({}) | REFERENCES | schemas_of(st.booleans()), schemas_of, max_leaves=5)
ROOTS = st.builds(
    lambda root, a, b, c: {**root, "$defs": {"A": a, "a": b}, "definitions": {"a": c}},
    schemas_of(SCHEMAS), schemas_of(st.booleans()), schemas_of(st.booleans()), SCHEMAS,
)  # fmt: skip


def expected(schema: Any, data: Any) -> bool:
    try:
        return bool(jsonschema.Draft7Validator(schema).is_valid(data))
    except RecursionError:  # it refers to itself without end
        assume(False)
        raise


@given(ROOTS, st.lists(VALUES, min_size=1, max_size=5))
def test_what_passes_is_what_another_library_lets_pass(schema: Any, values: list[Any]) -> None:
    verdicts = [expected(schema, data) for data in values]
    try:
        fault = check(schema)
    except UnusableSchemaError as error:
        assert "lead back to itself" in str(error)
        return
    for data, verdict in zip(values, verdicts, strict=True):
        assert (fault(data) is None) == verdict, data


A = {"$ref": "#/$defs/a"}


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"items": {"minLenght": 1}}, "the keyword minLenght is not supported at #/items/minLenght"),
        ({"$defs": {"a/b": {"unevaluatedItems": 1}}}, "the keyword unevaluatedItems is not supported at #/$defs/a~1b/"),
        ({"dependencies": {}}, "the keyword dependencies is not supported at #/dependencies"),
        ({"items": [{}]}, "items [{}] is not supported at #/items"),
        ({"format": "color"}, 'format "color" is not supported at #/format'),
        ({"allOf": [{"type": "text"}]}, "'text' is not valid under any of the given schemas at #/allOf/0/type"),
        ({"minimum": "1"}, "'1' is not of type 'number' at #/minimum"),
        ({"maximum": 1}, None),
        ('{"maximum": 1e400}', "a number must not be too large for a double (got 1e400)"),
        ('{"maximum": NaN}', "it is not JSON (JSON has no NaN)"),
        ({"not": {"pattern": "("}}, "'(' is not a 'regex' at #/not/pattern"),
        ({"patternProperties": {"[": {}}}, "'[' is not a 'regex' at #/patternProperties"),
        ({"items": {"$ref": "https://example.com/a"}}, "$ref must stand alone and name one of the schema's $defs or "),
        ({"$ref": "#", "type": "null"}, "$ref must stand alone"),
        ({"anyOf": [A], "$defs": {"a": {"not": A}}}, "a $ref must not lead back"),
        ("true", "it must be a JSON object (got true)"),
        ("{", "it is not JSON (Expecting property name"),
        ('{"not":' * 3000 + "{}" + "}" * 3000, "it is nested too deep"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_checked_is_an_error_with_its_path(schema: Any, sentence: str | None) -> None:
    with pytest.raises(UnusableSchemaError, match=f"^{re.escape(sentence)}") if sentence else nullcontext():
        check(schema)


GOOD = {
    "date": ["2024-02-29"],
    "date-time": ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+02:00"],
    "email": ["a@example.com"],
    "hostname": ["a.example.com"],
    "ipv4": ["10.0.0.1"],
    "ipv6": ["::1", "2001:db8::8a2e:370:7334"],
    "uri": ["https://example.com/a?b#c"],
    "uuid": ["0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"],
}
BAD = {
    "date": ["2026-02-29", "2026-1-1", "2026-01-01\n"],
    "date-time": ["2026-01-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00Z\n"],
    "email": ["a", "@example.com", "a@"],
    "hostname": ["-a.example.com", "a..b"],
    "ipv4": ["10.0.0.256", "10.0.0.1\n"],
    "ipv6": [":::1", "10.0.0.1"],
    "uri": ["example", "https://a b"],
    "uuid": ["0b1c2d3e", "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8fg"],
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_checked(name: str) -> None:
    fault = check({"format": name})
    assert [fault(text) for text in [*GOOD[name], 7]] == [None] * (len(GOOD[name]) + 1)
    assert {fault(text) for text in BAD[name]} == {f"data must be {name}"}


@pytest.mark.parametrize(
    ("of", "good", "bad"), [(0.01, [0.07, 19.01, 1e300], [0.005]), (3, [3e17, 10**30 * 3], [1e17])]
)
def test_a_multiple_is_one_of_what_is_written(of: float, good: list[float], bad: list[float]) -> None:
    fault = check({"multipleOf": of})
    assert {fault(one) for one in good} == {None}
    assert {fault(one) for one in bad} == {f"data must be multiple of {of}"}


def test_a_pattern_ends_where_the_text_does() -> None:
    fault = check({"pattern": "^[a$]$"})
    assert [fault(text) for text in ("a", "$", "a\n")] == [None, None, "data must match pattern ^[a$]$"]


@pytest.mark.parametrize(
    ("schema", "data", "message"),
    [
        ({"additionalProperties": {"type": "null"}}, {"secret": 1}, "data.* must be null"),
        ({"patternProperties": {"s": {"items": {"type": "null"}}}}, {"secret": [1]}, "data.*[0] must be null"),
        ({"additionalProperties": False}, {"secret": 1}, "data must not contain other properties than those of the "
         "schema"),
        ({"properties": {"a.{b}": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"enum": [1]}}}, {"a.{b}": "secret"},
         "data.a.{b} must be one of [1]"),
    ],
)  # fmt: skip
def test_a_message_names_the_path_and_the_rule_and_nothing_of_the_record(schema: Any, data: Any, message: str) -> None:
    assert check(schema)(data) == message
