"""Every resource that can be tagged is, as CloudFormation's own schemas have it."""

from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from model import project
from model.tags import TAGS

from .built_stages import STAGES
from .translation import translate

WANTED = {"Environment": {"Ref": "EnvironmentSuffix"}, **project.TAGS}


def taggable(resource_type: str) -> bool:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return "Tags" in schema["properties"]


def as_mapping(tags: Any) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else dict(tags)


def test_every_taggable_resource_carries_the_tags(template: dict[str, Any]) -> None:
    translated = translate(template, GradualDeployment="true")
    tagged = {
        name: as_mapping(resource["Properties"].get("Tags", {}))
        for name, resource in translated["Resources"].items()
        if taggable(resource["Type"])
    }
    # Table, queue, topic, dashboard, CodeDeploy's application and role, what is scaled, nine alarms, and of each stage:
    # log group, role, function, deployment group and six alarms, but for the last, which hands nothing on. Of the
    # files: bucket, queue, rule, log group, role, function, mapping, dashboard and four alarms.
    assert len(tagged) == 16 + 10 * len(STAGES) - 1 + 12, sorted(tagged)
    assert {name for name, tags in tagged.items() if not tags.items() >= WANTED.items()} == set()


def test_the_model_has_no_other_tags() -> None:
    assert set(TAGS) == set(WANTED)
