"""Values: every form that an expression of a template can take, by its parameters, conditions and mappings.

All rules read a template through this module. A form is consistent: if a parameter decides two conditions, no form has
both sides. What no template can know, such as the ARN of a resource, stays a reference.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Path = list[str | int]

NO_VALUE = {"Ref": "AWS::NoValue"}
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
# At most so many forms of one expression are tried; beyond them, further parameters keep their first value.
MOST_FORMS = 200
# A wildcard that matches anything, if it is all of a text.
ANYTHING = re.compile(r"[*?]*\*[*?]*")
_LEFT_OUT = object()


class Reference(NamedTuple):
    """What a Ref, a GetAtt or a Sub of nothing else names."""

    id: str
    attribute: str | None = None


class Given(str):
    """A text that comes from a parameter or a mapping."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, value: object, source: str) -> "Given":
        """Make the text that CloudFormation makes of a value, and note where it comes from."""
        made = super().__new__(cls, text(value))
        made.source = source
        return made


class _Undecided(Exception):  # noqa: N818 - no error: what is to be decided next
    """A reader met something that can take several values, and was not told which."""

    def __init__(self, name: str, options: list[Any]) -> None:
        super().__init__(name)
        self.name, self.options = name, options


class Values:
    """What the parameters, conditions and mappings of a template make of its expressions."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.parameters: Mapping[str, Any] = template.get("Parameters") or {}
        self.mappings: Mapping[str, Any] = template.get("Mappings") or {}
        self.conditions: Mapping[str, Any] = template.get("Conditions") or {}
        self._compared: dict[str, list[Any]] = defaultdict(list)
        self._keys: dict[str, list[Any]] = defaultdict(list)
        for path, arguments in walk(template):
            self._note_values(path[-1] if path else "", arguments)
        self._known: dict[tuple[int, tuple[str, ...], tuple[str, ...], bool], tuple[Any, list[Any]]] = {}

    def possible(self, expression: Any, *keys: str, when: tuple[str, ...] = (), by_name: bool = False) -> list[Any]:
        """Give every form of what a path of keys leads to while conditions hold; None if it can be left out.

        With `by_name`, parameters stay as they are named, though they decide conditions all the same.
        """
        asked = (id(expression), keys, when, by_name)
        if asked not in self._known:  # kept together with the expression, so that no other one gets its id
            self._known[asked] = expression, self._forms(expression, keys, when, by_name=by_name)
        return self._known[asked][1]

    def together(self, *conditions: str) -> bool:
        """Return whether conditions can hold at the same time."""
        return bool(self._forms(True, (), conditions, by_name=False))

    def domain(self, parameter: str) -> list[Any]:
        """List the values of a parameter that make a difference, its default first; a Ref stands for any other."""
        body = self.parameters.get(parameter, {})
        stored = str(body.get("Type")).startswith("AWS::SSM::")
        known = [body["Default"]] if "Default" in body and not stored else []
        others = self._keys[parameter] or [{"Ref": parameter}]
        known += body.get("AllowedValues") or [*self._compared[parameter], *others]
        return [*{text(value): value for value in known}.values()]

    def _forms(self, expression: Any, keys: tuple[str, ...], when: tuple[str, ...], *, by_name: bool) -> list[Any]:
        found: list[Any] = []
        decisions: list[dict[str, Any]] = [{}]
        while decisions:
            decided = decisions.pop()
            reader = _Reader(self, decided, by_name=by_name)
            try:
                form = reader.at(expression, keys) if all(map(reader.holds, when)) else found
            except _Undecided as met:
                options = met.options if len(decisions) + len(found) < MOST_FORMS else met.options[:1]
                decisions += [{**decided, met.name: option} for option in reversed(options)]
            else:
                found += [] if form is found or form in found else [form]
        return found

    def _note_values(self, function: str | int, arguments: Any) -> None:
        """Note what a condition compares a parameter with, and the keys that it looks up."""
        match function, arguments:
            case "Fn::Equals", [one, other]:
                for compared, with_what in ((one, other), (other, one)):
                    literals = [with_what] if isinstance(with_what, str | int) else []
                    for parameter in mentioned(compared):
                        self._compared[parameter] += literals
            case "Fn::FindInMap", [str(name), first, second, *_]:
                rows = self.mappings.get(name, {})
                for key, options in ((first, [*rows]), (second, [key for row in rows.values() for key in row])):
                    for parameter in mentioned(key) if isinstance(key, Mapping) else ():
                        self._keys[parameter] += options


class _Reader:
    """Reads expressions by one set of decisions."""

    def __init__(self, values: Values, decided: Mapping[str, Any], *, by_name: bool) -> None:
        self.values, self.decided, self.by_name = values, decided, by_name

    def at(self, expression: Any, keys: tuple[str, ...]) -> Any:
        for key in keys:
            while isinstance(expression, Mapping) and set(expression) == {"Fn::If"}:
                expression = self._side(expression["Fn::If"])
            if not isinstance(expression, Mapping) or key not in expression:
                return None
            expression = expression[key]
        found = self.value(expression)
        return None if found is _LEFT_OUT else found

    def value(self, expression: Any) -> Any:
        if isinstance(expression, list):
            return [found for each in expression if (found := self.value(each)) is not _LEFT_OUT]
        if not isinstance(expression, Mapping):
            return _LEFT_OUT if expression is None else expression
        if is_intrinsic(expression):
            ((function, arguments),) = expression.items()
            read = getattr(self, f"_{function.removeprefix('Fn::').lower()}", None)
            return read(arguments) if read else expression
        pairs = [(key, self.value(inner)) for key, inner in expression.items()]
        return {key: inner for key, inner in pairs if inner is not _LEFT_OUT}

    def holds(self, formula: Any) -> bool:
        match formula:
            case str(name) | {"Condition": str(name)} if name in self.values.conditions:
                return self.holds(self.values.conditions[name])
            case {"Fn::And": [*parts]}:
                return all(map(self.holds, parts))
            case {"Fn::Or": [*parts]}:
                return any(map(self.holds, parts))
            case {"Fn::Not": [part]}:
                return not self.holds(part)
            case {"Fn::Equals": [one, other]} if isinstance(one, Mapping) or isinstance(other, Mapping):
                return self._equal(self._operand(one), self._operand(other))
        return bool(self._decide(_name(formula), [True, False]))

    def _equal(self, one: Any, other: Any) -> bool:
        if one == other or not (isinstance(one, Mapping) or isinstance(other, Mapping)):
            return text(one) == text(other)
        if any(isinstance(each, Mapping) and "Ref" in each for each in (one, other)):
            return False  # any other value than those that it is compared with
        return bool(self._decide(_name([one, other]), [True, False]))

    def _operand(self, expression: Any) -> Any:
        """Read what a condition compares or a mapping is asked for: parameters by their values, AWS's own too."""
        match expression:
            case {"Ref": str(name)} if name.startswith("AWS::"):
                return self._decide(name, self.values.domain(name))
        return _Reader(self.values, self.decided, by_name=False).value(expression)

    def _decide(self, name: str, options: list[Any]) -> Any:
        if name not in self.decided:
            raise _Undecided(name, options)
        return self.decided[name]

    def _side(self, arguments: Any) -> Any:
        match arguments:
            case [condition, if_true, if_false]:
                return if_true if self.holds(condition) else if_false
        return None

    def _if(self, arguments: Any) -> Any:
        return self.value(self._side(arguments))

    def _ref(self, name: Any) -> Any:
        if name == NO_VALUE["Ref"]:
            return _LEFT_OUT
        if self.by_name or name not in self.values.parameters:
            return {"Ref": name}
        value = self._decide(name, self.values.domain(name))
        if isinstance(value, Mapping):
            return value
        if "List" in str(self.values.parameters[name].get("Type")):
            return [Given(each.strip(), name) for each in text(value).split(",")]
        return Given(value, name)

    def _getatt(self, arguments: Any) -> Any:
        return {"Fn::GetAtt": arguments.split(".", 1) if isinstance(arguments, str) else arguments}

    def _sub(self, arguments: Any) -> Any:
        template, variables = (arguments, {}) if isinstance(arguments, str) else (*arguments, {})[:2]

        def inner(variable: re.Match[str]) -> Any:
            name = variable[1]
            told = self.value(variables[name]) if name in variables else {"Fn::Sub": variable[0]}
            return self._ref(name) if name in self.values.parameters and name not in variables else told

        alone = VARIABLE.fullmatch(template)
        found = inner(alone) if alone else None
        return found if isinstance(found, Given) else _read(VARIABLE.sub(lambda each: text(inner(each)), template))

    def _join(self, arguments: Any) -> Any:
        match arguments:
            case [str(separator), parts] if isinstance(found := self.value(parts), list):
                return _read(separator.join(map(text, found)))
        return {"Fn::Join": arguments}

    def _split(self, arguments: Any) -> Any:
        match arguments:
            case [str(separator), whole]:
                joined = text(self.value(whole))
                # A variable is split only if no value of it can hold a separator.
                if "${}" not in joined and all(name.startswith("AWS::") for name in VARIABLE.findall(joined)):
                    return [_read(part) for part in re.split(rf"{re.escape(separator)}(?![^{{}}]*\}})", joined)]
        return {"Fn::Split": arguments}

    def _select(self, arguments: Any) -> Any:
        match arguments:
            case [index, options]:
                number, found = text(self.value(index)), self.value(options)
                if isinstance(found, list) and number.isdecimal():
                    return found[int(number)] if int(number) < len(found) else _LEFT_OUT
        return {"Fn::Select": arguments}

    def _findinmap(self, arguments: Any) -> Any:
        name, *keys = arguments
        defaults = [each["DefaultValue"] for each in keys if isinstance(each, Mapping) and "DefaultValue" in each]
        found: Any = self.values.mappings.get(text(self.value(name)))
        for key in keys[:2]:
            if not isinstance(found, Mapping):
                break
            asked = self._operand(key)
            if isinstance(asked, Mapping):
                asked = self._decide(_name(key), [*found])
            found = found.get(text(asked))
        if found is None:
            return self.value(defaults[0]) if defaults else {"Fn::FindInMap": arguments}
        return [Given(each, name) for each in found] if isinstance(found, list) else Given(found, text(name))


def walk(value: Any, *path: str | int) -> Iterator[tuple[Path, Any]]:
    """Walk a value and all that are in it, each with its path."""
    yield [*path], value
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from walk(inner, *path, key)


def is_intrinsic(value: Mapping[str, Any]) -> bool:
    """Return whether a mapping is the call of an intrinsic function."""
    return len(value) == 1 and any(key == "Ref" or str(key).startswith("Fn::") for key in value)


def reference(value: Any) -> Reference | None:
    """Give what an expression refers to, if it is a reference and nothing else."""
    match value:
        case Given():
            return Reference(value.source)
        case {"Ref": str(name)}:
            return Reference(name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return Reference(name, attribute)
        case {"Fn::GetAtt": str(dotted)}:
            return Reference(*dotted.split(".", 1))
        case {"Fn::Sub": str(template)} if VARIABLE.fullmatch(template):
            return Reference(*template[2:-1].split(".", 1))
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
        case {"Fn::Sub": str(template)}:
            return {name.partition(".")[0] for name in VARIABLE.findall(template)}
        case {"Fn::Sub": [str(template), dict(variables)]}:
            return mentioned({"Fn::Sub": template}) - set(variables) | mentioned(variables)
        case Mapping():
            return set().union(*map(mentioned, value.values()))
        case list():
            return set().union(*map(mentioned, value))
    return set()


def text(value: Any) -> str:
    """Write an expression as text: references as `${LogicalId.Attribute}`, what can't be read as `${}`."""
    found = None if isinstance(value, str) else reference(value)
    match value:
        case _ if found:
            return f"${{{'.'.join(filter(None, found))}}}"
        case {"Fn::Sub": str(template)} | {"Fn::Sub": [str(template), _]}:
            return template
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
    return "${}"


def known(written: str) -> str:
    """Put a name in place of each variable of a text: it has one value, though nobody knows which."""
    return VARIABLE.sub("known", written).replace("${}", "known")


def has_wildcard(written: str) -> bool:
    """Return whether a text is a pattern."""
    return "*" in written or "?" in written


def shown(value: Any) -> str:
    """Write an expression for a message, as it stands in a template: `!GetAtt Queue.Arn`; `none` if it is missing."""
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"!GetAtt {name}.{attribute}"
        case Mapping() if is_intrinsic(value):
            return " ".join(f"!{key.removeprefix('Fn::')} {shown(inner)}" for key, inner in value.items())
        case Mapping():
            return f"{{{', '.join(f'{key}: {shown(inner)}' for key, inner in value.items())}}}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case bool() | None:
            return {True: "true", False: "false", None: "none"}[value]
    return str(value)


def _read(written: str) -> Any:
    """Read a text with references: a reference if it is one alone, a plain text if it holds none."""
    found = reference({"Fn::Sub": written})
    if found:
        return {"Fn::GetAtt": [*found]} if found.attribute else {"Ref": found.id}
    return {"Fn::Sub": written} if VARIABLE.search(written) or "${}" in written else written.replace("${!", "${")


def _name(expression: Any) -> str:
    return json.dumps(expression, default=str, sort_keys=True)
