"""SAM resources as the model needs them: troposphere's, with what version 4.11.1 lacks.

One test per shim fails on the day when troposphere has gained the property, so that the shim can go.
"""

import hashlib
import json
from typing import Any

from troposphere import AWSHelperFn, Ref, awslambda, serverless


class LoggingConfig(awslambda.LoggingConfig):
    """`LoggingConfig` with `LogFormat`, which troposphere lost to a name clash in its generated code."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}


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
    """

    props = {
        **serverless.Function.props,
        "AutoPublishAliasAllProperties": (bool, False),
        "DeploymentPreference": (DeploymentPreference, False),
        "LoggingConfig": (LoggingConfig, False),
        "PropagateTags": (bool, False),
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
        """Render the function, its description closed by a digest of all its properties."""
        resource: dict[str, Any] = super().to_dict(*args, **kwargs)
        properties = resource["Properties"]
        digest = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()
        properties["Description"] += f" (configuration {digest[:8]})"
        return resource
