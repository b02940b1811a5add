"""The check of a record's data, as Python that imports nothing outside the standard library, from its JSON Schema.

fastjsonschema writes it. Keywords that it leaves out, or takes in another way than the specification, are errors here:
a rule that is not checked would look like one that is. Messages name the path and the rule, never what a record holds.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from fastjsonschema import JsonSchemaDefinitionException
from fastjsonschema.draft2019 import CodeGeneratorDraft2019
from fastjsonschema.generator import serialize_regexes
from fastjsonschema.ref_resolver import RefResolver
from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

FORMATS = ("date", "date-time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid")
_NOTES = {"$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title"}
_DEFINITIONS = {"$defs", "definitions"}
_SCHEMA = {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
_SCHEMAS = {"allOf", "anyOf", "oneOf"}
_NAMED_SCHEMAS = {"patternProperties", "properties"}
_RULES = {
    *("const", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength", "maxProperties"),
    *("maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "type"),
    "uniqueItems",
}  # fmt: skip
_HEAD = '''# Written by generate.py from functions/data.schema.json: change that, and run it again.
# ruff: noqa
# mypy: ignore-errors
# fmt: off
"""What data must be, by its schema."""

import re


class JsonSchemaValueException(ValueError):
    """Data breaks a rule."""


def is_multiple(value, of):
    """Compare what is written, since 0.3 / 0.1 is not 3 for doubles."""
    from fractions import Fraction
    return (Fraction(repr(value)) / Fraction(repr(of))).denominator == 1


JsonSchemaValuesException = JsonSchemaValueException
Decimal = float
'''
_DOLLAR = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


class UnusableSchemaError(ValueError):
    """A schema can't be compiled; the message says where and why."""


def compiled(text: str) -> str:
    """Return the module that checks data by a schema, or raise an UnusableSchemaError."""
    try:
        schema = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        Draft7Validator.check_schema(schema)
        if not isinstance(schema, dict):
            raise UnusableSchemaError(f"it must be a JSON object (got {text.strip()})")
        writer = _Writer(_Plain(schema).schema)
        code = f"{writer.func_code}\n"
        compile(code, "data_schema.py", "exec")
    except SchemaError as error:
        raise UnusableSchemaError(f"{error.message} at {_pointer(*error.absolute_path)}") from error
    except JsonSchemaDefinitionException as error:
        raise UnusableSchemaError(str(error)) from error
    except RecursionError:
        raise UnusableSchemaError("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise UnusableSchemaError(f"it is not JSON ({error})") from error
    return f"{_HEAD}REGEX_PATTERNS = {serialize_regexes(writer.patterns)}\n{code}"


def _no_constant(name: str) -> None:
    raise UnusableSchemaError(f"it is not JSON (JSON has no {name})")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnusableSchemaError(f"a number must not be too large for a double (got {text})")
    return value


def _pointer(*path: str | int) -> str:
    return "/".join(("#", *(str(part).replace("~", "~0").replace("/", "~1") for part in path)))


class _Plain:
    """A schema without its notes, whose definitions have plain names: from two similar ones came one function."""

    def __init__(self, schema: dict[str, Any]) -> None:
        named = [(key, name) for key in sorted(_DEFINITIONS & schema.keys()) for name in schema[key]]
        self._names = {_pointer(*path): f"#/definitions/d{number}" for number, path in enumerate(named)} | {"#": "#"}
        root = self._plain({key: value for key, value in schema.items() if key not in _DEFINITIONS})
        inner = [self._plain(schema[key][name], key, name) for key, name in named]
        self.schema = {**root, "definitions": {f"d{number}": one for number, one in enumerate(inner)}}
        _check_ends({"#": root} | {f"#/definitions/d{number}": one for number, one in enumerate(inner)})

    def _plain(self, schema: Any, *path: str | int) -> Any:
        if isinstance(schema, bool):
            return schema
        rules = {key: value for key, value in schema.items() if key not in _NOTES}
        if "$ref" in rules:
            return {"$ref": self._target(rules, path)}
        return {key: value for name, rule in rules.items() for key, value in self._rule(name, rule, path)}

    def _target(self, rules: dict[str, Any], path: tuple[str | int, ...]) -> str:
        target = self._names.get(rules["$ref"])
        if target is None or len(rules) > 1:
            raise UnusableSchemaError(
                f"$ref must stand alone and name one of the schema's $defs or definitions at {_pointer(*path)}"
            )
        return target

    def _rule(self, name: str, rule: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
        at = (*path, name)
        if name in _SCHEMA and isinstance(rule, (dict, bool)):
            yield name, self._plain(rule, *at)
        elif name in _SCHEMAS:
            yield name, [self._plain(one, *at, number) for number, one in enumerate(rule)]
        elif name in _NAMED_SCHEMAS:
            yield name, {key: self._plain(one, *at, key) for key, one in rule.items()}
        elif name not in _RULES or (name == "format" and rule not in FORMATS):
            what = f"the keyword {name}" if name not in _RULES | _SCHEMA else f"{name} {json.dumps(rule)}"
            raise UnusableSchemaError(f"{what} is not supported at {_pointer(*at)}")
        else:
            yield name, rule


def _check_ends(schemas: dict[str, Any]) -> None:
    """Refuse a schema that refers to itself for the same data, which would never end."""
    left = {target: set(_references(schema)) for target, schema in schemas.items()}
    while ends := {target for target, others in left.items() if not others & left.keys()}:
        left = {target: others for target, others in left.items() if target not in ends}
    if left:
        raise UnusableSchemaError("a $ref must not lead back to itself for the same data")


def _references(schema: Any) -> Iterator[str]:
    """Yield what a schema refers to for the data that it is about itself."""
    if isinstance(schema, dict):
        yield from [schema["$ref"]] if "$ref" in schema else []
        for rule in [schema.get(name) for name in ("not", "if", "then", "else")]:
            yield from _references(rule)
        for one in [one for name in _SCHEMAS for one in schema.get(name, ())]:
            yield from _references(one)


class _Writer(CodeGeneratorDraft2019):
    """fastjsonschema's writer, which says nothing of what data holds."""

    FORMAT_REGEXS = {name: f"(?a){pattern}" for name, pattern in CodeGeneratorDraft2019.FORMAT_REGEXS.items()}  # noqa: RUF012
    _definition: Any

    def __init__(self, schema: dict[str, Any]) -> None:
        resolver = RefResolver.from_schema(schema, store={})
        super().__init__(schema, resolver=resolver, use_default=False, detailed_exceptions=False)

    @property
    def patterns(self) -> dict[str, re.Pattern[str]]:
        """The regular expressions of the code that was written."""
        found: dict[str, re.Pattern[str]] = self._compile_regexps
        return found

    def generate_func_code_block(
        self, definition: Any, variable: str, variable_name: str, clear_variables: bool = False
    ) -> int:
        # The name of a property that the schema doesn't name comes from the record.
        name = re.sub(r"(?<!\{)\{\w+_key\}$", "*", variable_name)
        count: int = super().generate_func_code_block(definition, variable, name, clear_variables)
        return count

    def exc(self, msg: str, *args: object, append_to_msg: str | None = None, rule: str | None = None) -> None:
        """Write what raises a message."""
        if rule == "additionalProperties":
            msg = "{name} must not contain other properties than those of the schema"
        text = f'"{msg}"' + (f" + ({append_to_msg})" if append_to_msg else "")
        value = self._definition.get(rule) if isinstance(self._definition, dict) else None
        self.l(f"raise JsonSchemaValueException({text})", *args, definition_rule=self.e(value))

    def generate_required(self) -> None:
        """Write the check of what must be there, whether or not the schema also forbids it."""
        definition = self._definition
        self._definition = {"required": definition["required"]}
        super().generate_required()
        self._definition = definition

    def generate_pattern(self) -> None:
        """Write the search for a pattern, whose $ is the end, also before a line's end."""
        pattern = self._definition["pattern"]
        self._compile_regexps[pattern] = _regex(pattern)
        with (
            self.l("if isinstance({variable}, str):"),
            self.l("if not REGEX_PATTERNS[{}].search({variable}):", repr(pattern)),
        ):
            self.exc("{name} must match pattern {}", self.e(pattern), rule="pattern")

    def generate_pattern_properties(self) -> None:
        """Write the check of properties by patterns."""
        super().generate_pattern_properties()
        for pattern in self._definition["patternProperties"]:
            self._compile_regexps[pattern] = _regex(pattern)

    def generate_multiple_of(self) -> None:
        """Write the check of a multiple."""
        with (
            self.l("if isinstance({variable}, (int, float)) and not isinstance({variable}, bool):"),
            self.l("if not is_multiple({variable}, {multipleOf}):"),
        ):
            self.exc("{name} must be multiple of {multipleOf}", rule="multipleOf")


def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(_DOLLAR.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern))
