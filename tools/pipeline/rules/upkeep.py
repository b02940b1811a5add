"""Upkeep: cost tags, without which nobody finds a resource on the bill, and functions that are written out again."""

from collections.abc import Iterator
from typing import Any

from cfnlint.helpers import REGION_PRIMARY
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from .logs import LOG_GROUP, log_groups_of
from .reading import CREATED_BY_SAM, Fault, Function, Resource, Template, is_made_by_sam, items
from .rule import FunctionRule, Rule
from .values import text

# What two uses of one component differ in.
IDENTITY = {"FunctionName", "Description", "Handler", "Code", "Environment", "MemorySize", "Tags"}


class MissingTags(Rule):
    """The bill can be split only by tags that everything taggable carries."""

    id = "W9161"
    shortdesc = "A resource lacks cost-allocation tags"
    source_url = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html"
    settings = {"required_tags": ["CostCenter", "Environment", "ManagedBy", "Project"], "exempt_types": []}

    def subjects(self, template: Template) -> list[Resource]:
        exempt = self.config["exempt_types"]
        taggable = [one for one in template.resources.values() if one.type not in exempt and _tags_property(one.type)]
        # SAM tags the role that it makes as its function: only the function is to blame.
        return [one for one in taggable if one.type != "AWS::IAM::Role" or not is_made_by_sam(one)]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        name = _tags_property(subject.type)
        for tags in subject.possible(name):
            given = _keys(tags)
            missing = [tag for tag in self.config["required_tags"] if tag not in given]
            if missing:
                got = ", ".join(sorted(given - {CREATED_BY_SAM["Key"]})) or "none"
                yield subject.should(f"have tags named {', '.join(missing)}", got, name)


class WrittenOutAgain(FunctionRule):
    """Copies drift apart; make both by one component, which gives each its own role and log group.

    Functions that a component makes may be configured alike, too, but the component gives each a role or a log group.
    """

    id = "W9121"
    shortdesc = "A Lambda function is another one written out again"
    source_url = "https://docs.aws.amazon.com/wellarchitected/latest/framework/ops_dev_integ_share_design_stds.html"

    def faults(self, subject: Function, template: Template) -> Iterator[Fault]:
        before = template.functions[: [function.id for function in template.functions].index(subject.id)]
        alike = [other for other in before if _configuration(other) == _configuration(subject)]
        for other in alike if _is_bare(subject, template) else ():
            if _is_bare(other, template) and template.together(other.resource, subject.resource):
                who = f"{subject.id} and {other.id} should be made by one component"
                got = "(got one configuration and role, written out twice)"
                yield Fault(["Resources", subject.id], f"{who} {got}")
                return


def _tags_property(resource_type: str) -> str:
    """Name the property that takes a resource's tags; empty if it can't be tagged."""
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION_PRIMARY, resource_type).schema
    except ResourceNotFoundError:
        return ""
    default = "/properties/Tags" if "Tags" in schema["properties"] else ""
    return str(schema.get("tagging", {}).get("tagProperty", default)).rpartition("/")[2]


def _keys(tags: Any) -> set[str]:
    if isinstance(tags, dict):
        return set(tags)
    return {text(tag.get("Key")) for tag in items(tags) if isinstance(tag, dict)}


def _is_bare(function: Function, template: Template) -> bool:
    waits_for = items(function.resource.attributes.get("DependsOn"))
    groups = {group.id for group in template.of_type(LOG_GROUP)}
    return not log_groups_of(function, template) and not groups.intersection(waits_for)


def _configuration(function: Function) -> dict[str, object]:
    return {name: value for name, value in function.resource.properties.items() if name not in IDENTITY}
