"""References by text, which CloudFormation neither checks nor orders by."""

import re
from collections.abc import Iterator
from typing import Any

from .iam import TRUST
from .reading import Fault, Resource, Template, literals, place
from .rule import Rule
from .values import VARIABLE, Path, text, walk

ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:\d{12}:.*")
# Layers and whom policies name may well belong to another account.
FOREIGN = {"Layers", "Principal", TRUST, "Tags"}
# What may spell a name: free text, dimensions of metrics, which E9311 compares with the names, and parts of a Sub.
SPELLING = {"Tags", "Dimensions", "Fn::Sub"}
Spelling = tuple[Resource, Path, str]


class _TextRule(Rule):
    """A rule about the texts in a template that nothing evaluates."""

    def subjects(self, template: Template) -> list[tuple[Path, str]]:
        outputs: list[tuple[Path, Any]] = [
            (["Outputs", name, "Value"], output.get("Value")) for name, output in template.outputs.items()
        ]
        written = [(resource.at(), resource.properties) for resource in template.resources.values()]
        return [found for path, value in [*written, *outputs] for found in literals(value, path)]


class UnevaluatedReference(_TextRule):
    """Outside a Sub the text ${Name} is just that: nothing is put in its place, and nothing waits for it."""

    id = "E9201"
    shortdesc = "A reference stands in a text that nothing evaluates"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html"

    def faults(self, subject: tuple[Path, str], template: Template) -> Iterator[Fault]:
        path, literal = subject
        known = {*template.resources, *template.parameters} - _substituted(path, template)
        for name in VARIABLE.findall(literal):
            if name.partition(".")[0] in known:
                got = f"(got the text ${{{name}}})"
                yield Fault(path, f"{place(path)} should refer to {name} by Ref, GetAtt or Sub {got}")
        if "Variables" in path and literal in template.resources:
            yield Fault(path, f"{place(path)} should refer to {literal} by Ref or GetAtt (got its logical id as text)")


class NameSpelledAgain(Rule):
    """A name that is spelled twice parts on the first change, and CloudFormation orders nothing by it."""

    id = "E9202"
    shortdesc = "The name of a resource is spelled again instead of referred to"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-ref.html"

    def subjects(self, template: Template) -> list[tuple[Resource, str, list[Spelling]]]:
        resources = template.resources.values()
        spellings = [(one, path, spelled) for one in resources for path, spelled in _spellings(one)]
        return [
            (resource, text(name), spellings)
            for resource in template.resources.values()
            # AWS::SQS::Queue has a QueueName, AWS::Lambda::Function a FunctionName, and so on.
            for name in resource.find(f"{resource.type.rpartition('::')[2]}Name", by_name=True)
            if "${}" not in text(name) and not VARIABLE.fullmatch(text(name))
        ]

    def faults(self, subject: tuple[Resource, str, list[Spelling]], template: Template) -> Iterator[Fault]:
        named, name, spellings = subject
        for resource, path, spelled in spellings:
            alike = spelled == name or (spelled.startswith("arn:") and re.split("[:/]", spelled)[-1] == name)
            if alike and resource.id != named.id and template.together(resource, named):
                yield Fault(path, f"{place(path)} should refer to {named.id} by Ref or GetAtt (got {spelled})")


class AccountByNumber(_TextRule):
    """Refer to what the template makes, and take what it does not make as a parameter."""

    id = "E9203"
    shortdesc = "An ARN names an account by number"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"

    def faults(self, subject: tuple[Path, str], template: Template) -> Iterator[Fault]:
        path, literal = subject
        if ACCOUNT.fullmatch(literal) and not FOREIGN.intersection(map(str, path)):
            yield Fault(path, f"{place(path)} should be a reference or a parameter (got {literal})")


def _substituted(path: Path, template: Template) -> set[str]:
    resource = template.resources.get(str(path[1])) if "Properties" in path else None
    if resource is None or not any(str(key).startswith("Definition") for key in path):
        return set()
    return {name for form in resource.find("DefinitionSubstitutions") for name in form}


def _spellings(resource: Resource) -> Iterator[tuple[Path, str]]:
    """Walk what may spell a name: texts, and texts with substitutions."""
    for path, value in walk(resource.properties):
        is_text = isinstance(value, str) or (isinstance(value, dict) and set(value) == {"Fn::Sub"})
        if is_text and not SPELLING.intersection(path):
            yield resource.at(*path), text(value)
