"""A SAM template as text: read, decided for the values of its parameters, and its stages in order."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.errors import MisuseError
from pipeline.stack import ENTRY
from pipeline.stack.yaml_text import parse

FUNCTION = "AWS::Serverless::Function"
ABSENT = object()
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Template(NamedTuple):
    """A template, and its resources as they are with given parameters."""

    source: Mapping[str, Mapping[str, Any]]  # the resources as they are written
    resources: Mapping[str, Mapping[str, Any]]
    """Those whose conditions hold, everything decided that depends on parameters alone."""
    parameters: Mapping[str, str]

    @property
    def functions(self) -> dict[str, Mapping[str, Any]]:
        """The properties of the functions, by their stages' names."""
        return {
            name.removesuffix("Function").lower(): one.get("Properties", {})
            for name, one in self.resources.items()
            if one.get("Type") == FUNCTION
        }

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in the order in which records pass them."""
        functions, passed, name = self.functions, list[str](), ENTRY
        while name in functions and name not in passed:
            passed.append(name)
            success = functions[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnSuccess", {})
            alias = success.get("Destination")
            target = alias.get("Ref", "") if isinstance(alias, dict) else ""
            name = target.partition(".")[0].removesuffix("Function").lower()
        return tuple(passed)


def read(text: str | Mapping[str, Any], given: Mapping[str, str] = {}, *, origin: str = "the template") -> Template:
    """Read a template with these parameters, else the defaults; MisuseError if it is none. boto3 parses one in JSON."""
    try:
        whole = parse(text) if isinstance(text, str) else text
    except ValueError as error:
        raise MisuseError(f"{origin} can't be read: {error}.") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("Resources"), dict):
        raise MisuseError(f"{origin} must be a template with Resources.")
    defaults = {name: str(one.get("Default", "")) for name, one in whole.get("Parameters", {}).items()}
    parameters = {name: given.get(name, default) for name, default in defaults.items()}
    source = whole["Resources"]
    return Template(source, _Decision(parameters, whole.get("Conditions", {})).resources(source), parameters)


class _Decision(NamedTuple):
    parameters: Mapping[str, str]
    conditions: Mapping[str, Any]

    def resources(self, source: Mapping[str, Any]) -> dict[str, Any]:
        there = {name: one for name, one in source.items() if "Condition" not in one or self.holds(one["Condition"])}
        return {name: self.value(one) for name, one in there.items()}

    def holds(self, condition: Any) -> bool:
        match condition:
            case str(name) | {"Condition": str(name)}:
                return self.holds(self.conditions[name])
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::And": several}:
                return all(map(self.holds, several))
            case {"Fn::Or": several}:
                return any(map(self.holds, several))
            case {"Fn::Equals": [left, right]}:
                return str(self.value(left)) == str(self.value(right))
        return True

    def value(self, value: Any) -> Any:  # noqa: PLR0911 - one for each form
        """Decide what depends on parameters alone; the rest stays as it is written."""
        match value:
            case {"Ref": "AWS::NoValue"}:
                return ABSENT
            case {"Ref": name} if name in self.parameters:
                return self.parameters[name]
            case {"Fn::If": [condition, yes, no]}:
                return self.value(yes if self.holds(condition) else no)
            case {"Fn::Sub": str(text)}:
                filled = _VARIABLE.sub(lambda found: self.parameters.get(found[1], found[0]), text)
                return {"Fn::Sub": filled} if "${" in filled else filled
            case dict():
                return {name: decided for name, one in value.items() if (decided := self.value(one)) is not ABSENT}
            case list():
                return [decided for one in value if (decided := self.value(one)) is not ABSENT]
        return value
