"""The base of the rules: a rule says what it looks at, and what is wrong with one such subject."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template as Linted

from .reading import Path, Resource, Template
from .values import shown, text

# The rules read one template after the other: it is expanded once.
_read: WeakKeyDictionary[Linted, Template] = WeakKeyDictionary()


class Fault(NamedTuple):
    """What is wrong, and where."""

    path: Path
    message: str


class Rule(CloudFormationLintRule):
    """A cfn-lint rule whose subjects can be counted: one that finds none guards nothing."""

    # Name and default of what .cfnlintrc may set under `configure_rules`.
    settings: ClassVar[Mapping[str, int | list[str]]] = {}

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
        raise NotImplementedError

    def faults(self, subject: Any, template: Template) -> Iterator[Fault]:
        """Tell what is wrong with one subject."""
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


class Demand(Rule):
    """A rule that demands one property of every resource of a type, whatever the parameters are."""

    resource_type: ClassVar[str]
    demanded: ClassVar[str]  # a path with dots
    wanted: ClassVar[str | None] = None  # the value, if it matters

    def subjects(self, template: Template) -> list[Resource]:
        """List the resources of the type."""
        return template.of_type(self.resource_type)

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Look for a form in which the property is left out, or is known to be another than the wanted one."""
        keys = self.demanded.split(".")
        path = subject.at(*keys)
        if self.wanted is None and None in subject.possible(*keys):
            written = subject.properties.get(keys[0])
            yield Fault(path, f"{subject.id} should set {self.demanded} in every case (got {shown(written)})")
        for value in subject.find(*keys) if self.wanted else ():
            if text(value).lower() != str(self.wanted).lower() and not isinstance(value, Mapping):
                yield Fault(path, f"{subject.id} should set {self.demanded} to {self.wanted} (got {shown(value)})")
