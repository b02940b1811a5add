"""The same function written out again, instead of a component that is used again."""

from collections import Counter
from collections.abc import Iterator

from .logs import LOG_GROUP, log_groups_of
from .reading import Function, Template, functions, items, refers_to
from .rule import Fault, Rule

# What two uses of one component differ in.
IDENTITY = {"FunctionName", "Description", "Handler", "Code", "Environment", "MemorySize", "Tags"}


class WrittenOutAgain(Rule):
    """Two functions are copies: configured alike, with one role, and neither has a log group of its own.

    Functions that a component makes may be configured alike, too, but the component gives each a role or a log group.
    """

    id = "W9121"
    shortdesc = "A Lambda function is another one written out again"
    description = "Copies drift apart; make both by one component, which gives each its own role and log group"
    source_url = "https://docs.aws.amazon.com/wellarchitected/latest/framework/ops_dev_integ_share_design_stds.html"
    tags = ["lambda", "maintainability"]

    def subjects(self, template: Template) -> list[Function]:
        """List the functions."""
        return functions(template)

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        """Find the function before this one that it repeats."""
        if not _is_bare(subject, template):
            return
        for other in functions(template):
            if other.id == subject.id:
                return
            if _is_bare(other, template) and _configuration(other) == _configuration(subject):
                yield Fault(
                    ["Resources", subject.id],
                    f"{subject.id} and {other.id} should be made by one component (got one configuration and role, "
                    "written out twice)",
                )
                return


def _is_bare(function: Function, template: Template) -> bool:
    users = Counter(refers_to(each.properties.get("Role")) for each in functions(template))
    waits_for = items(template.resources[function.id].attributes.get("DependsOn"))
    return (
        users[refers_to(function.properties.get("Role"))] > 1
        and not log_groups_of(function, template)
        and not {group.id for group in template.of_type(LOG_GROUP)}.intersection(waits_for)
    )


def _configuration(function: Function) -> dict[str, object]:
    return {name: value for name, value in function.properties.items() if name not in IDENTITY}
