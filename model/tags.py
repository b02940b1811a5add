"""The cost-allocation tags, which every taggable resource carries."""

from troposphere import AWSObject, Ref, Tags
from troposphere.applicationautoscaling import ScalableTarget

from . import project
from .parameters import ENVIRONMENT_SUFFIX

TAGS = {"Environment": Ref(ENVIRONMENT_SUFFIX), **project.TAGS}

# CloudFormation takes no tags here, in any region's schema, though troposphere offers them.
UNTAGGED = (ScalableTarget,)


def tag(resource: AWSObject) -> None:
    """Put the tags on a resource, if its type takes any."""
    if "Tags" in resource.props and not isinstance(resource, UNTAGGED):
        # SAM's own resources take a mapping where CloudFormation's take a list.
        as_mapping = resource.props["Tags"][0] is dict
        resource.Tags = dict(TAGS) if as_mapping else Tags(TAGS)
