"""A translated template as it is deployed with given parameters: conditions decided, what they leave out gone."""

from collections.abc import Iterator
from typing import Any

from .translation import translate

ABSENT = object()


def deployed(template: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return resolve(translate(template, **parameters), parameters)


def resolve(translated: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Decide every condition, as CloudFormation does before it makes anything."""
    values = {name: str(parameters.get(name, p.get("Default"))) for name, p in translated["Parameters"].items()}
    conditions = translated["Conditions"]

    def holds(condition: Any) -> bool:
        if isinstance(condition, str):
            return holds(conditions[condition])
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return holds(argument)
            case "Fn::Not":
                return not holds(argument[0])
            case "Fn::And":
                return all(map(holds, argument))
            case "Fn::Or":
                return any(map(holds, argument))
            case "Fn::Equals":
                left, right = (values[side["Ref"]] if isinstance(side, dict) else str(side) for side in argument)
                return left == right
        raise AssertionError(f"unknown condition {function}")

    def decided(value: Any) -> Any:
        match value:
            case {"Fn::If": [condition, yes, no]}:
                return decided(yes if holds(condition) else no)
            case {"Ref": "AWS::NoValue"}:
                return ABSENT
            case dict():
                return {k: d for k, v in value.items() if (d := decided(v)) is not ABSENT}
            case list():
                return [d for v in value if (d := decided(v)) is not ABSENT]
        return value

    def there(section: str) -> dict[str, Any]:
        return {
            name: decided({k: v for k, v in part.items() if k != "Condition"})
            for name, part in translated[section].items()
            if holds(part.get("Condition", {"Fn::Equals": ["", ""]}))
        }

    rest = {k: v for k, v in translated.items() if k not in ("Conditions", "Metadata")}
    return {**rest, "Resources": there("Resources"), "Outputs": there("Outputs")}


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value refers to, the texts of substitutions included."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": [str(text), dict(variables)]}:
            yield from (name for name in references({"Fn::Sub": text}) if name not in variables)
            yield from references(variables)
        case {"Fn::Sub": str(text)}:
            yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
        case dict():
            for item in value.values():
                yield from references(item)
        case list():
            for item in value:
                yield from references(item)
