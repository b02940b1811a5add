"""SAM resources as the model needs them: troposphere's, with what version 4.11.1 lacks.

One test per shim fails on the day when troposphere has gained the property, so that the shim can go.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from troposphere import AWSHelperFn, AWSObject, Ref, awslambda, encode_to_dict, serverless

from ..parameters import DEPLOYMENT_ATTEMPT

# The properties whose change makes CloudFormation replace a resource, from the types' schemas; of other types any.
REPLACING = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema", "AttributeDefinitions", "ImportSourceSpecification"),
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
}
# What refers to the next stage and to alarms, and is no part of a version.
OF_THE_ALIAS = ("DeploymentPreference", "EventInvokeConfig")


class LoggingConfig(awslambda.LoggingConfig):
    """`LoggingConfig` with `LogFormat`, which troposphere lost to a name clash in its generated code."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}


class ScalingConfig(awslambda.ScalingConfig):
    """`ScalingConfig` of an event source mapping, which troposphere lost to the one of a capacity provider."""

    props = {**awslambda.ScalingConfig.props, "MaximumConcurrency": (int, False)}


class DeploymentPreference(serverless.DeploymentPreference):
    """`DeploymentPreference` whose switch and alarms may be chosen by a parameter."""

    props = {
        **serverless.DeploymentPreference.props,
        "Alarms": ((list, AWSHelperFn), False),
        "Enabled": ((bool, AWSHelperFn), False),
        "PassthroughCondition": (bool, False),
    }


class Function(serverless.Function):
    """`AWS::Serverless::Function` whose every change reaches the alias.

    `AutoPublishAlias` alone publishes a version when the code, the memory or the environment changes.
    `AutoPublishAliasAllProperties` does so for every property, but where Lambda itself sees no change, as with tags,
    it refuses to publish, and the deployment fails (serverless-application-model#3281). The digest of all properties
    in the description is a change that Lambda always sees.

    Neither looks behind a reference, so that `live` would go on with the table, queue, role or log group that a change
    has replaced. The digest holds what replaces these, too. It can't see a resource that somebody deleted and made
    anew, nor the value of a parameter: after either, publish by a change of the description.

    A deployment that is rolled back leaves the version that it published. The same commit would then publish nothing
    new, and Lambda refuses that ("A version for this Lambda function exists"). The attempt's number, a parameter, makes
    the difference that Lambda sees. SAM does not look at it, so a number alone publishes nothing.
    """

    props = {
        **serverless.Function.props,
        "AutoPublishAliasAllProperties": (bool, False),
        "DeploymentPreference": (DeploymentPreference, False),
        "LoggingConfig": (LoggingConfig, False),
        "PropagateTags": (bool, False),
        "RecursiveLoop": (str, False),
    }

    @property
    def alias(self) -> AWSHelperFn:
        """The ARN of the published alias, which is what callers are to invoke."""
        return Ref(f"{self.title}.Alias")

    @property
    def alias_title(self) -> str:
        """The logical id that SAM gives the alias."""
        return f"{self.title}Alias{self.AutoPublishAlias}"

    @property
    def event_invoke_title(self) -> str:
        """The logical id that SAM gives the settings of asynchronous invocation, which belong to the alias."""
        return f"{self.title}EventInvokeConfig"

    def to_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Render the function, its description closed by a digest of all its properties and by the attempt."""
        resource: dict[str, Any] = super().to_dict(*args, **kwargs)
        properties = resource["Properties"]
        whole = json.dumps([properties, self._referred_to(properties)], sort_keys=True)
        digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
        closing = f" (configuration {digest}, attempt ${{{DEPLOYMENT_ATTEMPT.title}}})"
        properties["Description"] = {"Fn::Sub": properties["Description"] + closing}
        return resource

    def _referred_to(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Give what decides whether a change replaces the resources that a version of the function refers to."""
        resources = self.template.resources if self.template else {}
        in_a_version = [value for name, value in properties.items() if name not in OF_THE_ALIAS]
        return {name: _identity(resources[name]) for name in _references(in_a_version) if name in resources}


def _identity(resource: AWSObject) -> dict[str, Any]:
    identity: dict[str, Any] = encode_to_dict(
        {
            name: value
            for name, value in resource.properties.items()
            if name in REPLACING.get(str(resource.resource_type), resource.properties) and name != "Tags"
        }
    )
    return identity


def _references(value: Any) -> Iterator[str]:
    """Yield the names that a rendered value refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            yield from _references([*value.values()])
        case list():
            for item in value:
                yield from _references(item)
