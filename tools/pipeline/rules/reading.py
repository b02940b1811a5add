"""Templates as CloudFormation deploys them: SAM expanded, and each property in every form that it can take."""

import copy
import functools
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .values import NO_VALUE, Path, Values, is_intrinsic, refers_to, shown, text

SERVERLESS = "AWS::Serverless::"
# What SAM takes for uploaded code, by the property that names it; where it comes from matters to no rule.
UPLOADED = {"CodeUri": "s3://bucket/key", "ContentUri": "s3://bucket/key"}
# What SAM tags its functions with, and the roles that it makes for them.
CREATED_BY_SAM = {"Key": "lambda:createdBy", "Value": "SAM"}


class Fault(NamedTuple):
    """What is wrong, and where."""

    path: Path
    message: str


class Resource(NamedTuple):
    """One resource of a template."""

    id: str
    type: str
    properties: Mapping[str, Any]  # as they are written
    attributes: Mapping[str, Any]  # as they are written
    values: Values

    @property
    def when(self) -> tuple[str, ...]:
        """The condition under which the resource exists, if it has one."""
        condition = self.attributes.get("Condition")
        return (condition,) if isinstance(condition, str) else ()

    def possible(self, *keys: str, by_name: bool = False) -> list[Any]:
        """Give every form of what a path of properties leads to; None if it can be left out."""
        return self.values.possible(self.properties, *keys, when=self.when, by_name=by_name)

    def find(self, *keys: str, by_name: bool = False) -> list[Any]:
        """Give every value that a path of properties can lead to."""
        return [form for form in self.possible(*keys, by_name=by_name) if form is not None]

    def forms(self, *names: str, by_name: bool = False) -> list[dict[str, Any]]:
        """Give every form that some properties can take together."""
        asked = {name: self.properties[name] for name in names if name in self.properties}
        return self.values.possible(asked, when=self.when, by_name=by_name)

    def attribute(self, *keys: str) -> list[Any]:
        """Give every form of what a path of attributes leads to; None if it can be left out."""
        return self.values.possible(self.attributes, *keys, when=self.when)

    def unless_left_out(self, name: str) -> Any:
        """Write a property as an expression that is left out in the same cases as the resource."""
        value = self.properties.get(name, NO_VALUE)
        return {"Fn::If": [*self.when, value, NO_VALUE]} if self.when else value

    def at(self, *keys: str | int) -> Path:
        return ["Resources", self.id, "Properties", *keys]

    def should(self, expected: str, got: Any, *keys: str | int, kind: str = "") -> Fault:
        """Say what is wrong with the resource or with one of its properties."""
        path: Path = self.at(*keys) if keys else ["Resources", self.id]
        return Fault(path, f"{kind}{self.id} should {expected} (got {shown(got)})")


class Function(NamedTuple):
    """A Lambda function, with what belongs to it by name."""

    resource: Resource
    aliases: list[Resource]
    event_invoke_configs: list[Resource]

    @property
    def id(self) -> str:
        return self.resource.id

    @property
    def roles(self) -> list[str]:
        return [role for each in self.resource.find("Role", by_name=True) if (role := refers_to(each))]

    def on_event(self, name: str) -> list[dict[str, Any]]:
        """Give DeadLetterConfig, and a property of each EventInvokeConfig by its id, in every form that they take."""
        asked = {config.id: config.unless_left_out(name) for config in self.event_invoke_configs}
        asked["DeadLetterConfig"] = self.resource.properties.get("DeadLetterConfig", NO_VALUE)
        return self.resource.values.possible(asked, when=self.resource.when)


class Template:
    """A template, and the file that it was read from."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        expanded = _expanded(source)
        self.values = Values(expanded)
        self.parameters = self.values.parameters
        self.outputs: Mapping[str, Any] = expanded.get("Outputs") or {}
        self.resources = {
            name: Resource(name, body.get("Type") or "", body.get("Properties") or {}, body, self.values)
            for name, body in (expanded.get("Resources") or {}).items()
            if isinstance(body, Mapping)
        }

    def of_type(self, *types: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type in types]

    @functools.cached_property
    def functions(self) -> list[Function]:
        kinds = ("AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig")
        found = self.of_type("AWS::Lambda::Function")
        return [Function(one, *(self.belonging_to(one.id, kind) for kind in kinds)) for one in found]

    def is_polled_for(self, function: Function) -> bool:
        """Return whether an event source calls a function, which then waits for its answer: no event is queued."""
        names = {function.id, *(alias.id for alias in function.aliases)}
        sources = self.of_type("AWS::Lambda::EventSourceMapping")
        return any(refers_to(name) in names for source in sources for name in source.find("FunctionName", by_name=True))

    def belonging_to(self, function: str, resource_type: str) -> list[Resource]:
        """List the resources of a type that name a function."""
        found = self.of_type(resource_type)
        return [each for each in found if function in map(refers_to, each.find("FunctionName", by_name=True))]

    def together(self, *resources: Resource) -> bool:
        """Return whether resources can exist at the same time."""
        return self.values.together(*(condition for resource in resources for condition in resource.when))

    def within(self, path: Path) -> Path:
        """Cut a path to what the file holds: what SAM generates stands at the resource it is generated from."""
        match path:
            case ["Resources", str(name), *rest] if name not in self.source["Resources"]:
                prefixes = (one for one in self.source["Resources"] if name.startswith(one))
                path = ["Resources", max(prefixes, key=len, default=""), *rest]
        value: Any = self.source
        for depth, key in enumerate(path):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return path[:depth]
        return path


def is_made_by_sam(resource: Resource) -> bool:
    """Return whether SAM makes a resource, such as the role of a function that names none."""
    return CREATED_BY_SAM in items(resource.properties.get("Tags"))


def find(form: Any, *keys: str) -> list[Any]:
    """Give what a path of keys leads to in a form, as a list of one or none."""
    for key in keys:
        if not isinstance(form, Mapping) or key not in form:
            return []
        form = form[key]
    return [form]


def items(form: Any) -> list[Any]:
    """Give the items of a list, or a single value in its place."""
    return form if isinstance(form, list) else [] if form is None else [form]


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
        case Mapping() if not is_intrinsic(value):
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
    resources = source.get("Resources") or {}
    types = [str(body.get("Type")) for body in resources.values() if isinstance(body, Mapping)]
    if not any(each.startswith(SERVERLESS) for each in types):
        return source
    # cfn-lint of an expanded template needs no translator, so those who lint one need not have it.
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    uploaded: dict[str, Any] = copy.deepcopy(dict(source))
    for body in uploaded["Resources"].values():
        if isinstance(properties := body.get("Properties"), dict):
            properties.update({name: uri for name, uri in UPLOADED.items() if name in properties})
    expanded: dict[str, Any] = Translator({}, Parser()).translate(uploaded, {})
    return expanded
