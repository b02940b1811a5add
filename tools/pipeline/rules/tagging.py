"""Cost tags: what is not tagged can't be found on the bill."""

from collections.abc import Iterator
from typing import Any

from cfnlint.helpers import REGION_PRIMARY
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from .reading import CREATED_BY_SAM, Resource, Template, find, is_made_by_sam, items, text
from .rule import Fault, Rule


class MissingTags(Rule):
    """A resource that can be tagged lacks a cost tag."""

    id = "W9161"
    shortdesc = "A resource lacks cost-allocation tags"
    description = "The bill can be split only by tags that everything taggable carries"
    source_url = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html"
    tags = ["cost"]
    settings = {
        "required_tags": ["CostCenter", "Environment", "ManagedBy", "Project"],
        "exempt_types": [],
    }

    def subjects(self, template: Template) -> list[Resource]:
        """List the resources that can be tagged, as CloudFormation's schemas have it."""
        exempt = self.config["exempt_types"]
        return [
            resource
            for resource in template.resources.values()
            if resource.type not in exempt
            and _tags_property(resource.type)
            and not _has_the_tags_of_a_function(resource)
        ]

    def faults(self, subject: Resource, template: Template) -> Iterator[Fault]:
        """Compare the tags with those required."""
        name = _tags_property(subject.type)
        for tags in find(subject.properties, name) or [[]]:
            given = _keys(tags)
            missing = [tag for tag in self.config["required_tags"] if tag not in given]
            if missing:
                yield Fault(
                    ["Resources", subject.id, "Properties", name],
                    f"{subject.id} should have tags named {', '.join(missing)} "
                    f"(got {', '.join(sorted(given - {CREATED_BY_SAM['Key']})) or 'none'})",
                )


def _has_the_tags_of_a_function(resource: Resource) -> bool:
    """Tell whether SAM makes a resource for a function, and tags it alike: only the function is to blame."""
    return resource.type == "AWS::IAM::Role" and is_made_by_sam(resource)


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
