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

# The rules read one template after the other: it is expanded once.
_read: WeakKeyDictionary[Linted, Template] = WeakKeyDictionary()
DEMAND = re.compile(r'(E\d+) (\S+) (\S+) (?:EQUALS (\w+)|IS DEFINED) "(.+): (https://\S+)"')


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
        template = _read.get(cfn) or _read.setdefault(cfn, Template(cfn.template))
        found = {
            (*map(str, fault.path), fault.message): RuleMatch(template.within(fault.path), fault.message)
            for subject in self.subjects(template)
            for fault in self.faults(subject, template)
        }
        return [*found.values()]


class FunctionRule(Rule):
    """A rule that looks at the Lambda functions."""

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return template.functions


class AsynchronousFunctionRule(FunctionRule):
    """A rule that looks at the functions whose events Lambda may queue."""

    def subjects(self, template: Template) -> list[Function]:
        """List the functions but those that an event source calls and nothing configures for queued events."""
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
