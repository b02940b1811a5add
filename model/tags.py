"""The cost-allocation tags, which every taggable resource carries."""

from troposphere import AWSObject, Ref, Tags

from . import project
from .parameters import ENVIRONMENT_SUFFIX

TAGS = {"Environment": Ref(ENVIRONMENT_SUFFIX), **project.TAGS}


def tag(resource: AWSObject) -> None:
    """Put the tags on a resource, if its type takes any."""
    if "Tags" in resource.props:
        # SAM's own resources take a mapping where CloudFormation's take a list.
        as_mapping = resource.props["Tags"][0] is dict
        resource.Tags = dict(TAGS) if as_mapping else Tags(TAGS)
