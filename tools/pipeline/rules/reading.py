"""Templates as CloudFormation deploys them: SAM expanded, both sides of every condition, references by logical id."""

import copy
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Path = list[str | int]

NO_VALUE = {"Ref": "AWS::NoValue"}
SERVERLESS = "AWS::Serverless::"
# What SAM takes for uploaded code, by the property that names it; where it comes from matters to no rule.
UPLOADED = {"CodeUri": "s3://bucket/key", "ContentUri": "s3://bucket/key"}
# What SAM tags its functions with, and the roles that it makes for them.
CREATED_BY_SAM = {"Key": "lambda:createdBy", "Value": "SAM"}
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


class Resource(NamedTuple):
    """One resource of a template."""

    id: str
    type: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any]


class Reference(NamedTuple):
    """What a Ref, a GetAtt or a Sub of nothing else names."""

    id: str
    attribute: str | None = None


class Template:
    """A template, and the file that it was read from."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        expanded = _expanded(source)
        self.parameters: Mapping[str, Any] = expanded.get("Parameters", {})
        self.outputs: Mapping[str, Any] = expanded.get("Outputs", {})
        self.resources = {
            name: Resource(name, body.get("Type", ""), body.get("Properties", {}), body)
            for name, body in expanded.get("Resources", {}).items()
        }

    def of_type(self, *types: str) -> list[Resource]:
        """List the resources of the given types."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def within(self, path: Path) -> Path:
        """Cut a path to what the file holds: what SAM generates stands at the resource it is generated from."""
        match path:
            case ["Resources", str(name), *rest] if name not in self.source["Resources"]:
                path = ["Resources", _longest_prefix(name, self.source["Resources"]), *rest]
        value: Any = self.source
        for depth, key in enumerate(path):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return path[:depth]
        return path


class Function(NamedTuple):
    """A Lambda function, with what belongs to it by name."""

    id: str
    properties: Mapping[str, Any]
    aliases: list[Resource]
    event_invoke_configs: list[Resource]


def functions(template: Template) -> list[Function]:
    """List the Lambda functions."""
    return [
        Function(
            resource.id,
            resource.properties,
            _belonging_to(resource.id, template.of_type("AWS::Lambda::Alias")),
            _belonging_to(resource.id, template.of_type("AWS::Lambda::EventInvokeConfig")),
        )
        for resource in template.of_type("AWS::Lambda::Function")
    ]


def is_made_by_sam(resource: Resource) -> bool:
    """Tell whether SAM makes a resource, such as the role of a function that names none."""
    return any(tag == CREATED_BY_SAM for tag in items(resource.properties.get("Tags")))


def alternatives(value: Any) -> list[Any]:
    """Give every value that an expression can take: both sides of a condition, nothing where it is left out."""
    if value is None or value == NO_VALUE:
        return []
    if isinstance(value, Mapping) and set(value) == {"Fn::If"}:
        _, if_true, if_false = value["Fn::If"]
        return [*alternatives(if_true), *alternatives(if_false)]
    return [value]


def find(value: Any, *keys: str) -> list[Any]:
    """Give every value that a path of keys can lead to."""
    found = alternatives(value)
    for key in keys:
        found = [each for some in found if isinstance(some, Mapping) for each in alternatives(some.get(key))]
    return found


def items(value: Any) -> list[Any]:
    """Give every item that a list, or a single value in its place, can hold."""
    return [item for some in alternatives(value) for entry in _listed(some) for item in alternatives(entry)]


def reference(value: Any) -> Reference | None:
    """Tell what an expression refers to, if it is a reference and nothing else."""
    match value:
        case {"Ref": str(name)}:
            return Reference(name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return Reference(name, attribute)
        case {"Fn::GetAtt": str(dotted)}:
            return _parsed(dotted)
        case {"Fn::Sub": str(text)} if VARIABLE.fullmatch(text):
            return _parsed(text[2:-1])
    return None


def refers_to(value: Any) -> str | None:
    """Give the logical id that an expression refers to, if it is a reference and nothing else."""
    found = reference(value)
    return found.id if found else None


def mentioned(value: Any) -> set[str]:
    """Give the logical ids that an expression mentions, however deep."""
    found = reference(value)
    if found:
        return {found.id}
    match value:
        case {"Fn::Sub": str(text)}:
            return {name.partition(".")[0] for name in VARIABLE.findall(text)}
        case {"Fn::Sub": [str(text), dict(variables)]}:
            return mentioned({"Fn::Sub": text}) - set(variables) | mentioned(variables)
        case Mapping():
            return set().union(*map(mentioned, value.values()))
        case list():
            return set().union(*map(mentioned, value))
    return set()


def text(value: Any) -> str:
    """Write an expression as text: references as `${LogicalId.Attribute}`, what can't be read as `${}`."""
    found = reference(value)
    if found:
        return f"${{{'.'.join(filter(None, found))}}}"
    match value:
        case {"Fn::Sub": str(template)} | {"Fn::Sub": [str(template), _]}:
            return template
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(text, parts))
        case str() | int() | float():
            return str(value)
    return "${}"


def shown(value: Any) -> str:
    """Write an expression for a message, as it stands in a template: `!GetAtt Queue.Arn`; `none` if it is missing."""
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"!GetAtt {name}.{attribute}"
        case Mapping() if _is_intrinsic(value):
            return " ".join(f"!{key.removeprefix('Fn::')} {shown(inner)}" for key, inner in value.items())
        case Mapping():
            return f"{{{', '.join(f'{key}: {shown(inner)}' for key, inner in value.items())}}}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case bool() | None:
            return {True: "true", False: "false", None: "none"}[value]
    return str(value)


def described(name: str, template: Template) -> str:
    """Name a resource for a message: by its logical id, but an alias by its function, since SAM makes up its id."""
    resource = template.resources[name]
    if resource.type != "AWS::Lambda::Alias":
        return name
    return f"the alias {text(resource.properties.get('Name'))} of {refers_to(resource.properties.get('FunctionName'))}"


def place(path: Path) -> str:
    """Write a path for a message: `Queue.Tags.0`."""
    return ".".join(str(key) for key in path if key not in ("Resources", "Properties"))


def literals(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Walk every text that no intrinsic function evaluates, with its path."""
    match value:
        case str():
            yield path, value
        case Mapping() if not _is_intrinsic(value):
            for key, inner in value.items():
                yield from literals(inner, [*path, key])
        case {"Fn::If": [condition, *sides]} if isinstance(condition, str):
            for index, side in enumerate(sides, start=1):
                yield from literals(side, [*path, "Fn::If", index])
        case list():
            for index, inner in enumerate(value):
                yield from literals(inner, [*path, index])


def _expanded(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """Expand SAM's resources, which cfn-lint up to 1.53 does before its rules run and later versions leave to us."""
    resources = source.get("Resources", {})
    if not any(str(body.get("Type")).startswith(SERVERLESS) for body in resources.values()):
        return source
    # cfn-lint of an expanded template needs no translator, so those who lint one need not have it.
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    uploaded: dict[str, Any] = copy.deepcopy(dict(source))
    for body in uploaded["Resources"].values():
        properties = body.get("Properties", {})
        properties.update({name: uri for name, uri in UPLOADED.items() if name in properties})
    expanded: dict[str, Any] = Translator({}, Parser()).translate(uploaded, {})
    return expanded


def _belonging_to(function: str, resources: Sequence[Resource]) -> list[Resource]:
    return [resource for resource in resources if refers_to(resource.properties.get("FunctionName")) == function]


def _longest_prefix(generated: str, names: Mapping[str, Any]) -> str:
    return max((name for name in names if generated.startswith(name)), key=len, default="")


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _parsed(dotted: str) -> Reference:
    name, _, attribute = dotted.partition(".")
    return Reference(name, attribute or None)


def _is_intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and any(key == "Ref" or key.startswith("Fn::") for key in value)
