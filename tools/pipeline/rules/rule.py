"""The base of the rules: a rule says what it looks at, and what is wrong with one such subject."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template as Linted

from .reading import Fault, Function, Resource, Template
from .values import text

# Errors of a rule that meets a value of a wrong type. cfn-lint's own rules say which value it is.
WRONG_TYPE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
DEMAND = re.compile(r'(E\d+) (\S+) (\S+) (?:EQUALS (\w+)|IS DEFINED) "(.+): (https://\S+)"')


class Reading:
    """A template that rules read one after the other: expanded once, and what can't be checked is told once."""

    def __init__(self, cfn: Linted) -> None:
        self.template: Template | None = None
        self._reason = ""
        self._told: set[str] = set()
        try:
            self.template = Template(cfn.template)
        except Exception as error:  # noqa: BLE001 - SAM's translator fails in many ways on what is no template
            causes = getattr(error, "causes", [error])
            self._reason = "; ".join(str(getattr(cause, "message", cause)) for cause in causes)

    def unchecked(self, subject: Any = None) -> list[RuleMatch]:
        """Tell that the rules can't check a resource, or the template, unless that was told before."""
        name = str(getattr(subject, "id", ""))
        if name in self._told:
            return []
        self._told.add(name)
        reason = self._reason or "a value in it has another type than AWS expects"
        path: list[str | int] = ["Resources"]
        if self.template and name in self.template.source["Resources"]:
            path.append(name)
        return [RuleMatch(path, f"the rules can't check {name or 'the template'}: {reason}")]


_readings: WeakKeyDictionary[Linted, Reading] = WeakKeyDictionary()


class Rule(CloudFormationLintRule):
    """A cfn-lint rule whose subjects can be counted: one that finds none guards nothing."""

    # The types of the resources that the rule looks at, unless it has other subjects.
    looks_at: ClassVar[tuple[str, ...]] = ()
    # Name and default of what .cfnlintrc may set under `configure_rules`.
    settings: ClassVar[Mapping[str, int | list[str]]] = {}

    def __init_subclass__(cls) -> None:
        """Describe a rule by the first line of its docstring, which says why it is one."""
        cls.description = vars(cls).get("description") or (cls.__doc__ or "").partition("\n")[0].removesuffix(".")

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = {
            name: {"default": default, "type": "integer"}
            if isinstance(default, int)
            else {"default": default, "type": "list", "itemtype": "string"}
            for name, default in self.settings.items()
        }
        self.config = dict(self.settings)

    def subjects(self, template: Template) -> Iterable[Any]:
        """List what the rule looks at."""
        return template.of_type(*self.looks_at)

    def faults(self, subject: Any, template: Template) -> Iterator[Fault]:
        """Give what is wrong with one subject."""
        raise NotImplementedError

    def match(self, cfn: Linted) -> list[RuleMatch]:
        """Look at every subject of a template, as cfn-lint asks."""
        reading = _readings.get(cfn) or _readings.setdefault(cfn, Reading(cfn))
        template = reading.template
        if not template:
            return reading.unchecked()
        try:
            subjects = [*self.subjects(template)]
        except WRONG_TYPE:
            return reading.unchecked()
        found: dict[tuple[str, ...], RuleMatch] = {}
        unchecked = []
        for subject in subjects:
            try:
                for fault in self.faults(subject, template):
                    found[*map(str, fault.path), fault.message] = RuleMatch(template.within(fault.path), fault.message)
            except WRONG_TYPE:
                unchecked += reading.unchecked(subject)
        return [*found.values(), *unchecked]


class FunctionRule(Rule):
    """A rule that looks at the Lambda functions."""

    def subjects(self, template: Template) -> list[Function]:
        return template.functions


class AsynchronousFunctionRule(FunctionRule):
    """A rule that looks at the functions whose events Lambda may queue."""

    def subjects(self, template: Template) -> list[Function]:
        return [each for each in template.functions if each.event_invoke_configs or not template.is_polled_for(each)]


class Demand(Rule):
    """A rule of demands.txt: it demands a property of every resource of a type, whatever its parameters are."""

    demanded: ClassVar[str]  # a path with dots
    wanted: ClassVar[str]  # the value; empty if any will do

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a form in which the property is left out, or known to be another than the wanted one."""
        keys = self.demanded.split(".")
        if not self.wanted and None in subject.possible(*keys):
            yield subject.should(f"set {self.demanded} in every case", subject.properties.get(keys[0]), *keys)
        for value in subject.find(*keys) if self.wanted else ():
            if text(value).lower() != self.wanted.lower() and not isinstance(value, Mapping):
                yield subject.should(f"set {self.demanded} to {self.wanted}", value, *keys)


def demands() -> list[type[Rule]]:
    """Make the rules that demands.txt lists."""
    made: list[type[Rule]] = []
    for found in map(DEMAND.fullmatch, (File(__file__).parent / "demands.txt").read_text("utf-8").splitlines()):
        if found:
            name, resource_type, demanded, wanted, sentence, link = found.groups(default="")
            description = f"{demanded} is looked for in every form that a template of {resource_type} can take"
            body: dict[str, Any] = {"id": name, "shortdesc": sentence, "description": description, "source_url": link}
            body |= {"looks_at": (resource_type,), "demanded": demanded, "wanted": wanted}
            made.append(type(f"Demand{name}", (Demand,), body))
    return made
