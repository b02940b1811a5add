"""Cold starts: the functions that have to be warm are, and callers reach the warm version."""

import fnmatch
from collections.abc import Iterator
from typing import Any

from .iam import statements
from .reading import Fault, Function, Resource, Template, described, items, place
from .rule import Rule
from .values import Path, Reference, reference, refers_to, shown


class ColdCriticalFunction(Rule):
    """Callers of a critical function should not wait for a cold start; keep instances of its alias warm."""

    id = "W9181"
    shortdesc = "A critical Lambda function has no provisioned concurrency"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"
    settings = {"critical_functions": []}  # logical ids, * for any letters

    def subjects(self, template: Template) -> list[Function]:
        critical = self.config["critical_functions"]
        return [each for each in template.functions if any(fnmatch.fnmatchcase(each.id, one) for one in critical)]

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        published = [*subject.aliases, *template.belonging_to(subject.id, "AWS::Lambda::Version")]
        if not any(each.find("ProvisionedConcurrencyConfig") for each in published):
            yield subject.resource.should("have provisioned concurrency on its alias", None, kind="critical function ")


class UnqualifiedCall(Rule):
    """Provisioned concurrency, retries and destinations belong to the alias: give its ARN to callers."""

    id = "E9182"
    shortdesc = "Callers are given the unqualified ARN of a Lambda function that has an alias"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html"

    def subjects(self, template: Template) -> list[tuple[Path, Any]]:
        callers = [*_outputs(template), *_targets(template), *_invocable(template)]
        return [(path, value) for path, value in callers if _function_of(value, template)]

    def faults(self, subject: tuple[Path, Any], template: Template) -> Iterator[Fault]:
        path, value = subject
        function = template.resources[_function_of(value, template)]
        aliased = [f for f in template.functions if f.id == function.id and f.aliases]
        if aliased and function.id == refers_to(value) and reference(value) != Reference(function.id, "Version"):
            alias = described(aliased[0].aliases[0].id, template)
            yield Fault(path, f"{place(path)} should be {alias} (got {shown(value)})")


def _function_of(value: Any, template: Template) -> str:
    """Name the function, itself or by its alias, that a value refers to; empty if it is none."""
    resource = template.resources.get(refers_to(value) or "")
    if resource and resource.type == "AWS::Lambda::Alias":
        return refers_to(resource.properties.get("FunctionName")) or ""
    return resource.id if resource and resource.type == "AWS::Lambda::Function" else ""


def _outputs(template: Template) -> Iterator[tuple[Path, Any]]:
    for name, output in template.outputs.items():
        for value in template.values.possible(output, "Value", by_name=True):
            yield ["Outputs", name, "Value"], value


def _targets(template: Template) -> Iterator[tuple[Path, Any]]:
    """List what the template itself invokes: by destinations, event sources, scheduled and matched events."""
    for config in template.of_type("AWS::Lambda::EventInvokeConfig"):
        for outcome in ("OnSuccess", "OnFailure"):
            yield from _named(config, "DestinationConfig", outcome, "Destination")
    for source in template.of_type("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"):
        yield from _named(source, "FunctionName")
    for event in template.of_type("AWS::Events::Rule"):
        for targets in event.find("Targets", by_name=True):
            for target in items(targets):
                yield event.at("Targets"), target.get("Arn")


def _named(resource: Resource, *keys: str) -> Iterator[tuple[Path, Any]]:
    yield from ((resource.at(*keys), value) for value in resource.find(*keys, by_name=True))


def _invocable(template: Template) -> Iterator[tuple[Path, Any]]:
    for statement in statements(template):
        if statement.allows and statement.of_identity and statement.is_about("lambda:InvokeFunction"):
            yield from (([*statement.path, "Resource"], resource) for resource in statement.resources)
